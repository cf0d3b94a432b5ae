// A client that lies: what it sends instead of an honest response. The visitor gets an error of ours or a reset, never
// bytes that another program could take for something else, and the tunnels of others go on.

import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptFor } from "../../src/http1/websocket-accept.ts";
import { RawClient } from "../support/raw-client.ts";
import { frame, u32 } from "../support/raw-peer.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";
import { WireClient } from "./wire-client.ts";
import { Words } from "./words.ts";

const host = "Host: evil.localhost\r\n";
const get = `GET / HTTP/1.1\r\n${host}\r\n`;
const key = "dGhlIHNhbXBsZSBub25jZQ==";
const upgradeRequest =
  `GET / HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`;
const ok = "HTTP/1.1 200 OK\r\n";
const five = `${ok}Content-Length: 5\r\n\r\n`;
const streamed = `${ok}Transfer-Encoding: chunked\r\n\r\n`;
const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
const rightAccept = `Sec-WebSocket-Accept: ${acceptFor(key)}\r\n`;

/** What the visitor must see: an answer of ours, a reset behind at most this text, or exactly this text. */
type Seen = { readonly status: number; readonly error: string } | { readonly cut: RegExp } | { readonly whole: RegExp };

interface Lie {
  readonly what: string;
  readonly request?: string;
  /** The frames that the client sends, each as [type, payload, end]. */
  readonly frames: readonly (readonly [type: Parameters<typeof frame>[0], payload: string | Buffer, end?: "end"])[];
  readonly seen: Seen;
  /** The violation that ends the session; without it, it must live on. */
  readonly violation?: string;
}

const bad: Seen = { status: 502, error: "bad_target_response" };
const lost: Seen = { status: 502, error: "client_lost" };
/** At most the head of a response with a length, and less than its body. */
const cutHead: Seen = { cut: /^(?:HTTP\/1\.1 2\d\d [^\r]*\r\n(?:[^\r]+\r\n)*\r\n.{0,4})?$/s };

const badHeads: readonly (readonly [what: string, head: string])[] = [
  ["nothing that looks like a head", "hello"],
  ["half a head", "HTTP/1.1 200 OK\r\nContent-Le"],
  ["two heads in one", `${five}${five}`],
  ["a head with body bytes behind it", `${five}hello`],
  ["a bare LF", "HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\n"],
  ["a folded line", `${ok}X: a\r\n b\r\n\r\n`],
  ["a NUL", `${ok}X: a\0\r\n\r\n`],
  ["length and chunked", `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ["two lengths", `${ok}Content-Length: 5\r\nContent-Length: 5\r\n\r\n`],
  ["HTTP/2", "HTTP/2.0 200 OK\r\n\r\n"],
  ["33 KiB", `${ok}X: ${"a".repeat(33 * 1024)}\r\n\r\n`],
  ["201 fields", `${ok}${"X: y\r\n".repeat(201)}\r\n`],
  ["a status below 100", "HTTP/1.1 099 Low\r\n\r\n"],
];

const lies: readonly Lie[] = [
  ...badHeads.map(([what, head]): Lie => ({ what: `a bad head: ${what}`, frames: [["head", head]], seen: bad })),
  ...badHeads.map(([what, head]): Lie => ({
    what: `a bad head that ends: ${what}`,
    frames: [["head", head, "end"]],
    seen: bad,
  })),
  {
    what: "two final heads",
    frames: [
      ["head", five],
      ["head", five],
    ],
    seen: cutHead,
  },
  {
    what: "100 behind the final head",
    frames: [
      ["head", five],
      ["head", "HTTP/1.1 100 Continue\r\n\r\n"],
    ],
    seen: cutHead,
  },
  { what: "a body before any head", frames: [["data", "hello"]], seen: lost, violation: "data_before_head" },
  {
    what: "trailers before any head",
    frames: [["trailers", "X: y\r\n", "end"]],
    seen: lost,
    violation: "data_before_head",
  },
  {
    what: "a body behind 100 alone",
    frames: [
      ["head", "HTTP/1.1 100 Continue\r\n\r\n"],
      ["data", "hello"],
    ],
    seen: bad,
  },
  {
    what: "more bytes than announced",
    frames: [
      ["head", five],
      ["data", "hello!", "end"],
    ],
    seen: cutHead,
  },
  {
    what: "more bytes, one after the other",
    frames: [
      ["head", five],
      ["data", "hell"],
      ["data", "o!"],
    ],
    seen: cutHead,
  },
  {
    what: "fewer bytes than announced",
    frames: [
      ["head", five],
      ["data", "hell", "end"],
    ],
    seen: cutHead,
  },
  {
    what: "no bytes though announced",
    frames: [
      ["head", five],
      ["data", "", "end"],
    ],
    seen: cutHead,
  },
  { what: "a head that ends though it announces a body", frames: [["head", five, "end"]], seen: bad },
  {
    what: "trailers before the length is full",
    frames: [
      ["head", five],
      ["trailers", "X: y\r\n", "end"],
    ],
    seen: cutHead,
  },
  {
    what: "a body for HEAD",
    request: `HEAD / HTTP/1.1\r\n${host}\r\n`,
    frames: [
      ["head", five],
      ["data", "hello", "end"],
    ],
    seen: { cut: /^(?:[^]*\r\n\r\n)?$/ },
  },
  {
    what: "a body for 204",
    frames: [
      ["head", "HTTP/1.1 204 No Content\r\n\r\n"],
      ["data", "hello", "end"],
    ],
    seen: { cut: /^(?:[^]*\r\n\r\n)?$/ },
  },
  {
    what: "a body for 304",
    frames: [
      ["head", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"],
      ["data", "hello", "end"],
    ],
    seen: { cut: /^(?:[^]*\r\n\r\n)?$/ },
  },
  {
    what: "trailers that are none",
    frames: [
      ["head", streamed],
      ["trailers", "nonsense\r\n", "end"],
    ],
    seen: { cut: /^[^]*\r\n\r\n$|^$/ },
  },
  {
    what: "trailers that end the section themselves",
    frames: [
      ["head", streamed],
      ["trailers", `X: y\r\n\r\n${five}`, "end"],
    ],
    seen: { cut: /^[^]*\r\n\r\n$|^$/ },
  },
  {
    what: "trailers that would be fields",
    frames: [
      ["head", streamed],
      ["trailers", "Content-Length: 9\r\nSet-Cookie: a=b\r\nX: y\r\n", "end"],
    ],
    seen: { whole: /\r\n\r\n0\r\nX: y\r\n\r\n$/ },
  },
  {
    what: "chunk framing inside of the body",
    frames: [
      ["head", streamed],
      ["data", `0\r\n\r\n${five}`, "end"],
    ],
    seen: { whole: /\r\n\r\n2b\r\n0\r\n\r\nHTTP\/1\.1 200 OK\r\nContent-Length: 5\r\n\r\n\r\n0\r\n\r\n$/ },
  },
  { what: "101 without being asked", frames: [["head", `${switching}${rightAccept}\r\n`]], seen: bad },
  {
    what: "101 with the wrong accept",
    request: upgradeRequest,
    frames: [["head", `${switching}Sec-WebSocket-Accept: AAAA\r\n\r\n`]],
    seen: bad,
  },
  { what: "101 without an accept", request: upgradeRequest, frames: [["head", `${switching}\r\n`]], seen: bad },
  {
    what: "101 to another protocol",
    request: upgradeRequest,
    frames: [["head", `HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n${rightAccept}\r\n`]],
    seen: bad,
  },
  {
    what: "101 that ends",
    request: upgradeRequest,
    frames: [["head", `${switching}${rightAccept}\r\n`, "end"]],
    seen: bad,
  },
  {
    what: "101 behind a final head",
    request: upgradeRequest,
    frames: [
      ["head", five],
      ["head", `${switching}${rightAccept}\r\n`],
    ],
    seen: cutHead,
  },
  { what: "an informational head that ends", frames: [["head", "HTTP/1.1 103 Hints\r\n\r\n", "end"]], seen: bad },
  {
    what: "18 informational heads",
    frames: Array.from({ length: 18 }, () => ["head", "HTTP/1.1 103 Hints\r\n\r\n"] as const),
    seen: lost,
    violation: "too_many_heads",
  },
  {
    what: "a frame behind the end, for a stream that is gone",
    frames: [
      ["head", streamed],
      ["data", "hello", "end"],
      ["data", "more"],
    ],
    seen: { whole: /\r\n5\r\nhello\r\n0\r\n\r\n$/ },
  },
  {
    what: "more than the window",
    frames: [
      ["head", streamed],
      ["data", Buffer.alloc(60_000)],
      ["data", Buffer.alloc(60_000)],
    ],
    seen: { cut: /^/ },
    violation: "window_exceeded",
  },
  { what: "credit of nothing", frames: [["credit", u32(0)]], seen: lost, violation: "credit_zero" },
  { what: "credit above all bounds", frames: [["credit", u32(2 ** 31 - 1)]], seen: lost, violation: "credit_overflow" },
  { what: "an OPEN", frames: [["open", "hello"]], seen: lost, violation: "frame_direction" },
  {
    what: "RESET with a code from the future",
    frames: [["reset", Buffer.of(200)]],
    seen: { status: 502, error: "internal" },
  },
  { what: "RESET: refused", frames: [["reset", Buffer.of(1)]], seen: { status: 502, error: "target_refused" } },
  { what: "RESET: too slow", frames: [["reset", Buffer.of(3)]], seen: { status: 504, error: "target_timeout" } },
  { what: "RESET: overloaded", frames: [["reset", Buffer.of(6)]], seen: { status: 503, error: "overloaded" } },
  { what: "RESET: not my tunnel", frames: [["reset", Buffer.of(7)]], seen: { status: 404, error: "no_tunnel" } },
  {
    what: "RESET behind a head",
    frames: [
      ["head", five],
      ["reset", Buffer.of(0)],
    ],
    seen: cutHead,
  },
];

async function check(visitor: RawClient, seen: Seen): Promise<void> {
  if ("cut" in seen) {
    assert.equal(await visitor.ended(), "reset");
    assert.match(visitor.text, seen.cut);
  } else if ("whole" in seen) {
    await until(() => seen.whole.test(visitor.text), { what: String(seen.whole), detail: () => visitor.text });
  } else {
    await visitor.receive("\r\nCaisson-Error: ");
    const answer = visitor.text.slice(visitor.text.lastIndexOf("HTTP/1.1 "));
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${seen.status} [^]*\\r\\nCaisson-Error: ${seen.error}\\r\\n`));
  }
}

void test("a client that lies harms its own visitors only", async (t) => {
  const words = new Words();
  await using rig = await Rig.start({ serverSubscribers: [words], serve: { limits: { nameHoldMs: 0 } } });
  for (const lie of lies) {
    await t.test(lie.what, async () => {
      words.violations.length = 0;
      using client = await WireClient.connect(rig.port, { name: "evil" });
      const visitor = await RawClient.connect(rig.port);
      visitor.send(lie.request ?? get);
      const { id } = await client.opened();
      client.send(...lie.frames.map(([type, payload, end]) => frame(type, id, payload, end ?? "")));
      try {
        await check(visitor, lie.seen);
      } finally {
        visitor.close();
      }
      if (lie.violation !== undefined) await client.gone();
      assert.deepEqual(words.violations, lie.violation === undefined ? [] : [lie.violation]);
      if (lie.violation === undefined) {
        const next = await RawClient.connect(rig.port);
        next.send(get);
        const stream = await client.opened();
        client.send(frame("head", stream.id, five), frame("data", stream.id, "fine!", "end"));
        await next.receive("\r\n\r\nfine!");
        next.close();
      }
      assert.equal((await rig.fetch("/")).body, "GET /");
    });
    await until(() => rig.serverLedger.live("session") === 1, { what: "the liar is gone" });
  }
});

void test("what behind a 101 breaks the rules of a pipe cuts the visitor, and never loses its socket", async () => {
  const words = new Words();
  await using rig = await Rig.start({ serverSubscribers: [words], serve: { limits: { nameHoldMs: 0 } } });
  const accepted = `${switching}${rightAccept}\r\n`;
  const endings: readonly (readonly (readonly [
    type: Parameters<typeof frame>[0],
    payload: string | Buffer,
    end?: "end",
  ])[])[] = [
    [
      ["data", "bytes", "end"],
      ["reset", Buffer.of(0)],
    ],
    [
      ["data", "", "end"],
      ["reset", Buffer.of(0)],
    ],
    [["reset", Buffer.of(8)]],
    [["head", five]],
    [["trailers", "X: y\r\n", "end"]],
    [
      ["data", "bytes", "end"],
      ["data", "more"],
    ],
  ];
  for (const [index, frames] of endings.entries()) {
    for (const together of [true, false]) {
      using client = await WireClient.connect(rig.port, { name: "evil" });
      const visitor = await RawClient.connect(rig.port);
      visitor.send(upgradeRequest);
      const { id } = await client.opened();
      const rest = frames.map(([type, payload, end]) => frame(type, id, payload, end ?? ""));
      if (together) client.send(frame("head", id, accepted), ...rest);
      else {
        client.send(frame("head", id, accepted));
        await visitor.receive("HTTP/1.1 101 ");
        client.send(...rest);
      }
      await visitor.ended();
      visitor.end();
      await until(() => rig.server.inventory().probes["visitors.sockets"] === 0, {
        what: `the socket of case ${index} is closed`,
      });
      visitor.close();
    }
    await until(() => rig.serverLedger.live("session") === 1, { what: "the liar is gone" });
  }
  assert.equal(rig.serverLedger.live("pipe"), 0);
});

void test("a client that never answers costs each visitor its time and no more", async () => {
  const words = new Words();
  const limits = { responseIdleMs: 400, resetAnswerMs: 300 };
  await using rig = await Rig.start({ serve: { limits }, serverSubscribers: [words] });
  using client = await WireClient.connect(rig.port, { name: "evil" });
  const visitors = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(rig.port)));
  for (const visitor of visitors) visitor.send(get);
  await Promise.all(visitors.map((visitor) => visitor.receive("HTTP/1.1 504 ")));
  assert.equal((await rig.fetch("/")).body, "GET /");
  // It does not answer the resets either, and so loses its session.
  await client.gone();
  assert.deepEqual(words.violations, ["reset_unanswered"]);
  assert.equal((await rig.fetch("/")).body, "GET /");
  for (const visitor of visitors) visitor.close();
});
