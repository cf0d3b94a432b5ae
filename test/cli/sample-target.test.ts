import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { test } from "node:test";
import { WebSocket } from "ws";
import { downloads } from "../../src/cli/demo/random-bytes.ts";
import type { SampleTarget } from "../../src/cli/demo/sample-target.ts";
import { startSampleTarget } from "../../src/cli/demo/sample-target.ts";
import { Deadlines } from "../../src/lifecycle/deadlines.ts";
import { noEvents } from "../../src/lifecycle/events.ts";

interface Rig {
  readonly target: SampleTarget;
  readonly deadlines: Deadlines;
  readonly url: string;
}

async function rig(context: { after(cleanUp: () => Promise<void>): void }): Promise<Rig> {
  const deadlines = new Deadlines({ events: noEvents });
  const target = await startSampleTarget(deadlines);
  context.after(async () => {
    await target.close();
    assert.equal(deadlines.size, 0);
  });
  return { target, deadlines, url: `http://127.0.0.1:${target.port}` };
}

test("the page and its files come from here alone", async (t) => {
  const { url } = await rig(t);
  for (const [path, type] of [
    ["/", "text/html"],
    ["/page.css", "text/css"],
    ["/page.js", "text/javascript"],
    ["/icon.svg", "image/svg+xml"],
  ] as const) {
    const response = await fetch(url + path);
    assert.equal(response.status, 200, path);
    assert.ok(response.headers.get("content-type")?.startsWith(type), path);
    assert.match(response.headers.get("content-security-policy") ?? "", /default-src 'none'/);
    const text = await response.text();
    // The SVG namespace is a name, not an address that is fetched.
    const addresses = text.replaceAll("http://www.w3.org/2000/svg", "").match(/https?:\/\/[a-z]/gu);
    assert.equal(addresses, null, path);
  }
});

test("downloads are whole, in parts, and as stated", async (t) => {
  const { url } = await rig(t);
  const [{ name, bytes, sha256 } = { name: "", bytes: 0, sha256: "" }] = downloads;
  const whole = await fetch(`${url}/download/${name}`);
  assert.equal(whole.headers.get("content-length"), String(bytes));
  assert.equal(whole.headers.get("accept-ranges"), "bytes");
  assert.ok(whole.headers.get("repr-digest")?.includes(Buffer.from(sha256, "hex").toString("base64")));
  const body = Buffer.from(await whole.arrayBuffer());
  assert.equal(createHash("sha256").update(body).digest("hex"), sha256);

  const part = await fetch(`${url}/download/${name}`, { headers: { Range: "bytes=1000-1999" } });
  assert.equal(part.status, 206);
  assert.equal(part.headers.get("content-range"), `bytes 1000-1999/${bytes}`);
  assert.ok(body.subarray(1000, 2000).equals(Buffer.from(await part.arrayBuffer())));

  const outside = await fetch(`${url}/download/${name}`, { headers: { Range: `bytes=${bytes}-` } });
  assert.equal(outside.status, 416);
  assert.equal(outside.headers.get("content-range"), `bytes */${bytes}`);
  await outside.text();

  const head = await fetch(`${url}/download/1GiB.bin`, { method: "HEAD" });
  assert.equal(head.headers.get("content-length"), String(1024 ** 3));
  const unknown = await fetch(`${url}/download/2TiB.bin`);
  assert.equal(unknown.status, 404);
  await unknown.text();
});

test("an upload is told its size and digest", async (t) => {
  const { url } = await rig(t);
  const body = Buffer.alloc(3_000_000, "caisson");
  for (const method of ["POST", "PUT"]) {
    const response = await fetch(`${url}/upload`, { method, body });
    const answer: unknown = await response.json();
    assert.ok(typeof answer === "object" && answer !== null && "bytes" in answer && "sha256" in answer);
    assert.equal(answer.bytes, body.length);
    assert.equal(answer.sha256, createHash("sha256").update(body).digest("hex"));
  }
  const wrong = await fetch(`${url}/upload`);
  assert.equal(wrong.status, 405);
  await wrong.text();
});

test("an open page hears of earlier and later requests", async (t) => {
  const { url } = await rig(t);
  await (await fetch(`${url}/hello`)).text();
  const abort = new AbortController();
  const feed = await fetch(`${url}/events`, { signal: abort.signal });
  assert.equal(feed.headers.get("content-type"), "text/event-stream");
  const later = fetch(`${url}/nowhere?q=1`, { headers: { "X-Forwarded-For": "192.0.2.7" } });
  let text = "";
  assert.ok(feed.body);
  const reader = feed.body.getReader();
  while (!text.includes("/nowhere")) {
    const { value, done } = await reader.read();
    assert.ok(!done, text);
    text += Buffer.from(value).toString();
  }
  abort.abort();
  await (await later).text();
  const events = text.split("\n").filter((line) => line.startsWith("data: "));
  const [first, second] = events.map((line): unknown => JSON.parse(line.slice(6)));
  assert.ok(isSeen(first) && isSeen(second));
  assert.deepEqual([first.path, first.status], ["/hello", 200]);
  assert.deepEqual([second.path, second.status, second.visitor], ["/nowhere?q=1", 404, "192.0.2.7"]);
});

test("the echo answers texts and bytes as they came", async (t) => {
  const { url } = await rig(t);
  const socket = new WebSocket(`${url.replace("http", "ws")}/echo`);
  await once(socket, "open");
  for (const [sent, binary] of [
    [Buffer.from("grüß dich"), false],
    [Buffer.from([0, 1, 255]), true],
  ] as const) {
    socket.send(sent, { binary });
    const [data, isBinary]: unknown[] = await once(socket, "message");
    assert.deepEqual(data, sent);
    assert.equal(isBinary, binary);
  }
  socket.close();
  await once(socket, "close");
  const elsewhere = new WebSocket(`${url.replace("http", "ws")}/other`);
  const [error]: unknown[] = await once(elsewhere, "error");
  assert.match(String(error), /404/);
});

interface Seen {
  readonly path: unknown;
  readonly status: unknown;
  readonly visitor: unknown;
}

function isSeen(value: unknown): value is Seen {
  return typeof value === "object" && value !== null && "path" in value && "status" in value && "visitor" in value;
}
