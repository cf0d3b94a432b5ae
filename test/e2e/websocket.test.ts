// WebSockets pass through the tunnel as they do directly: messages, pings, close codes, half-closes, subprotocols, and
// upgrades that are declined or wrongly answered.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import type { RawData } from "ws";
import { WebSocket, WebSocketServer } from "ws";
import { onHeads, RawTarget } from "../support/raw-target.ts";
import { RawClient } from "../support/raw-client.ts";
import { Rig } from "../support/rig.ts";
import { seededBuffer } from "../support/seeded-bytes.ts";
import { until } from "../support/until.ts";

const key = "dGhlIHNhbXBsZSBub25jZQ==";
const accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const upgrade =
  "GET /chat HTTP/1.1\r\nHost: demo.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`;
const switching = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;

/** A WebSocket server as a target. */
class WebSocketTarget {
  readonly http: Server;
  readonly sockets: WebSocketServer;

  private constructor() {
    this.http = createServer((_, response) => void response.writeHead(426).end());
    this.sockets = new WebSocketServer({
      server: this.http,
      maxPayload: 8 * 1024 * 1024,
      handleProtocols: (offered) => (offered.has("chat.v2") ? "chat.v2" : false),
    });
  }

  static async start(onConnection: (socket: WebSocket, request: IncomingMessage) => void): Promise<WebSocketTarget> {
    const target = new WebSocketTarget();
    target.sockets.on("connection", (socket, request) => {
      socket.on("error", () => undefined);
      onConnection(socket, request);
    });
    await new Promise<void>((resolve) => void target.http.listen(0, "127.0.0.1", resolve));
    return target;
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets.clients) socket.terminate();
    this.sockets.close();
    const closed = new Promise<void>((resolve) => void this.http.close(() => resolve()));
    this.http.closeAllConnections();
    await closed;
  }
}

function echo(socket: WebSocket): void {
  socket.on("message", (data: RawData, isBinary: boolean) => socket.send(data, { binary: isBinary }));
}

async function dial(rig: Rig, protocols: string[] = []): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${rig.port}/chat?room=1`, protocols, {
    headers: { host: "demo.localhost" },
    perMessageDeflate: false,
  });
  await once(socket, "open");
  return socket;
}

function sha256(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

async function nextMessage(socket: WebSocket): Promise<{ data: Buffer; isBinary: boolean }> {
  const [data, isBinary]: unknown[] = await once(socket, "message");
  assert.ok(Buffer.isBuffer(data));
  return { data, isBinary: isBinary === true };
}

async function ending(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason]: unknown[] = await once(socket, "close");
  return { code: Number(code), reason: String(reason) };
}

test("text, binary, fragments and large messages come back as they were sent", async () => {
  await using target = await WebSocketTarget.start(echo);
  await using rig = await Rig.start({ targetPort: target.port });
  const socket = await dial(rig);
  socket.send("grüße, 世界 🚇");
  assert.deepEqual(await nextMessage(socket), { data: Buffer.from("grüße, 世界 🚇"), isBinary: false });
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 1_048_576, 3_000_001]) {
    const sent = seededBuffer(`message ${size}`, size);
    socket.send(sent);
    const got = await nextMessage(socket);
    assert.deepEqual([got.data.length, got.isBinary, sha256(got.data)], [size, true, sha256(sent)]);
  }
  socket.send("frag", { fin: false });
  socket.send("men", { fin: false });
  socket.send("ts", { fin: true });
  assert.equal((await nextMessage(socket)).data.toString(), "fragments");
  socket.close();
  await ending(socket);
});

test("forty messages of 1 MiB both ways at once keep their order and their bytes", async () => {
  await using target = await WebSocketTarget.start(echo);
  await using rig = await Rig.start({ targetPort: target.port });
  const socket = await dial(rig);
  const messages = Array.from({ length: 40 }, (_, n) => seededBuffer(`burst ${n}`, 1_048_576));
  const received: string[] = [];
  socket.on("message", (data: Buffer) => void received.push(sha256(data)));
  for (const message of messages) socket.send(message);
  await until(() => received.length === messages.length, { what: "all messages came back", timeoutMs: 60_000 });
  assert.deepEqual(received, messages.map(sha256));
  socket.close();
  await ending(socket);
});

test("pings and pongs reach the other end with their payload", async () => {
  const heard: string[] = [];
  await using target = await WebSocketTarget.start((socket) => {
    socket.on("ping", (data: Buffer) => void heard.push(`ping ${data.toString()}`));
    socket.on("pong", (data: Buffer) => void heard.push(`pong ${data.toString()}`));
    socket.ping("from target");
  });
  await using rig = await Rig.start({ targetPort: target.port });
  const socket = await dial(rig);
  socket.ping("from visitor");
  const [payload]: unknown[] = await once(socket, "pong");
  assert.equal(String(payload), "from visitor");
  await until(() => heard.length === 2, { what: "the target heard a ping and a pong", detail: () => heard });
  assert.deepEqual(heard.toSorted(), ["ping from visitor", "pong from target"]);
  socket.terminate();
});

test("close codes and reasons pass, whichever side closes", async () => {
  const atTarget: { code: number; reason: string }[] = [];
  await using target = await WebSocketTarget.start((socket) => {
    socket.on("close", (code, reason) => void atTarget.push({ code, reason: reason.toString() }));
    socket.on("message", () => socket.close(4001, "enough"));
  });
  await using rig = await Rig.start({ targetPort: target.port });
  const byVisitor = await dial(rig);
  byVisitor.close(3000, "bye");
  assert.deepEqual(await ending(byVisitor), { code: 3000, reason: "bye" });
  const byTarget = await dial(rig);
  byTarget.send("please close");
  assert.deepEqual(await ending(byTarget), { code: 4001, reason: "enough" });
  await until(() => atTarget.length === 2, { what: "the target saw both closes" });
  assert.deepEqual(atTarget, [
    { code: 3000, reason: "bye" },
    { code: 4001, reason: "enough" },
  ]);
  await rig.quiet();
});

test("subprotocols, paths and fields are the target's to judge", async () => {
  const requests: IncomingMessage[] = [];
  await using target = await WebSocketTarget.start((socket, request) => {
    requests.push(request);
    echo(socket);
  });
  await using rig = await Rig.start({ targetPort: target.port });
  const socket = await dial(rig, ["chat.v1", "chat.v2"]);
  assert.equal(socket.protocol, "chat.v2");
  const [request] = requests;
  assert.equal(request?.url, "/chat?room=1");
  assert.equal(request?.headers["sec-websocket-protocol"], "chat.v1,chat.v2");
  assert.equal(request?.headers.upgrade, "websocket");
  assert.match(String(request?.headers.connection), /^upgrade$/i);
  assert.equal(request?.headers["x-forwarded-for"], "127.0.0.1");
  socket.close();
  await ending(socket);
});

test("a visitor that dies is a cut for the target, and the reverse", async () => {
  const atTarget: number[] = [];
  const sockets: WebSocket[] = [];
  await using target = await WebSocketTarget.start((socket) => {
    sockets.push(socket);
    socket.on("close", (code) => void atTarget.push(code));
  });
  await using rig = await Rig.start({ targetPort: target.port });
  const dying = await dial(rig);
  dying.terminate();
  await until(() => atTarget.length === 1, { what: "the target sees that its visitor died" });
  assert.deepEqual(atTarget, [1006]);
  const left = await dial(rig);
  await until(() => sockets.length === 2, { what: "the second arrived" });
  sockets[1]?.terminate();
  assert.deepEqual(await ending(left), { code: 1006, reason: "" });
  await rig.quiet();
});

test("a WebSocket to a target that dies is cut, and the next one is refused", async () => {
  let visitor: WebSocket;
  {
    await using target = await WebSocketTarget.start(echo);
    const { port } = target;
    await using rig = await Rig.start({ targetPort: port });
    visitor = await dial(rig);
    visitor.send("hello");
    await nextMessage(visitor);
    const gone = ending(visitor);
    await target[Symbol.asyncDispose]();
    assert.equal((await gone).code, 1006);
    await rig.quiet();
    const raw = await RawClient.connect(rig.port);
    raw.send(upgrade);
    assert.match(await raw.receive("Caisson-Error: target_refused"), /^HTTP\/1\.1 502 /);
    raw.close();
  }
});

test("bytes behind the upgrade request, and behind the 101, arrive", async () => {
  const seen: Buffer[] = [];
  await using target = await RawTarget.start((socket: Socket) => {
    socket.on("data", (chunk: Buffer) => {
      const first = seen.length === 0;
      seen.push(chunk);
      if (first) socket.write(`${switching}early from target`);
    });
  });
  await using rig = await Rig.start({ targetPort: target.port });
  const visitor = await RawClient.connect(rig.port);
  visitor.send(`${upgrade}early from visitor`);
  assert.ok((await visitor.receive("early from target")).startsWith("HTTP/1.1 101 "));
  visitor.send(", more");
  await until(() => Buffer.concat(seen).toString().endsWith("\r\n\r\nearly from visitor, more"), {
    what: "the target got the early bytes first",
    detail: () => Buffer.concat(seen).toString(),
  });
  visitor.close();
});

test("more than the read-ahead behind the upgrade request arrives whole", async () => {
  const hash = createHash("sha256");
  let received = 0;
  let head = "";
  await using target = await RawTarget.start((socket: Socket) => {
    socket.on("data", (chunk: Buffer) => {
      if (!head.includes("\r\n\r\n")) {
        const text = head + chunk.toString("latin1");
        const end = text.indexOf("\r\n\r\n");
        head = end < 0 ? text : text.slice(0, end + 4);
        if (end < 0) return;
        socket.write(switching);
        return;
      }
      received += chunk.length;
      hash.update(chunk);
    });
  });
  await using rig = await Rig.start({ targetPort: target.port });
  const visitor = await RawClient.connect(rig.port);
  const early = seededBuffer("early", 1_000_000);
  visitor.send(Buffer.concat([Buffer.from(upgrade), early]));
  await until(() => received === early.length, { what: "the early bytes arrive", detail: () => received });
  assert.equal(hash.digest("hex"), sha256(early));
  visitor.close();
});

test("either side may end its half and still receive", async () => {
  const atTarget: string[] = [];
  const behaviour = (socket: Socket): void => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (text.endsWith("\r\n\r\n")) socket.write(switching);
      if (text.endsWith("end yours")) socket.end("mine is over");
    });
    socket.on("end", () => {
      atTarget.push("end");
      if (socket.writable) socket.end("after your end");
    });
    socket.on("close", () => atTarget.push("close"));
  };
  await using target = await RawTarget.start(behaviour, { halfOpen: true });
  await using rig = await Rig.start({ targetPort: target.port });

  const first = await RawClient.connect(rig.port);
  first.send(upgrade);
  await first.receive("\r\n\r\n");
  first.end();
  await first.receive("after your end");
  assert.equal(await first.ended(), "fin");
  await rig.quiet();
  assert.deepEqual(atTarget, ["end", "close"]);

  const second = await RawClient.connect(rig.port);
  second.send(upgrade);
  await second.receive("\r\n\r\n");
  second.send("end yours");
  await second.receive("mine is over");
  assert.equal(await second.ended(), "fin");
  assert.equal(atTarget.length, 2, "our half is still open");
  second.send("more");
  second.end();
  await rig.quiet();
  first.close();
  second.close();
});

for (const [what, answer] of [
  ["a wrong Sec-WebSocket-Accept", switching.replace(accept, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")],
  ["no Sec-WebSocket-Accept", switching.replace(/Sec-WebSocket-Accept[^\r]+\r\n/, "")],
  ["another protocol", switching.replace("Upgrade: websocket", "Upgrade: h2c")],
  ["no Connection field", switching.replace("Connection: Upgrade\r\n", "")],
] as const) {
  test(`a 101 with ${what} is a bad response`, async () => {
    await using target = await RawTarget.start(onHeads((_, socket) => void socket.write(answer)));
    await using rig = await Rig.start({ targetPort: target.port });
    const visitor = await RawClient.connect(rig.port);
    visitor.send(upgrade);
    assert.match(await visitor.receive("Caisson-Error: bad_target_response"), /^HTTP\/1\.1 502 /);
    await rig.quiet();
    await until(() => target.sockets.size === 0, { what: "the target's connection is closed" });
    visitor.close();
  });
}

test("a 101 to a request that asked for no upgrade is a bad response", async () => {
  await using target = await RawTarget.start(onHeads((_, socket) => void socket.write(switching)));
  await using rig = await Rig.start({ targetPort: target.port });
  const answer = await rig.fetch("/");
  assert.deepEqual([answer.status, answer.headers["caisson-error"]], [502, "bad_target_response"]);
});

test("an upgrade that the target declines is an ordinary response, and the connection lives on", async () => {
  let count = 0;
  const answer = (_: string, socket: Socket): void => {
    count += 1;
    socket.write(`HTTP/1.1 ${count === 1 ? "403 Forbidden" : "200 OK"}\r\nContent-Length: 6\r\n\r\nbody ${count}`);
  };
  await using target = await RawTarget.start(onHeads(answer));
  await using rig = await Rig.start({ targetPort: target.port });
  const visitor = await RawClient.connect(rig.port);
  visitor.send(upgrade);
  assert.match(await visitor.receive("body 1"), /^HTTP\/1\.1 403 Forbidden\r\n/);
  visitor.send("GET / HTTP/1.1\r\nHost: demo.localhost\r\n\r\n");
  await visitor.receive("body 2");
  assert.equal(visitor.ending, "open");
  visitor.close();
});

test("an upgrade declined with a streamed body, or by an endless one, is passed on", async () => {
  await using target = await WebSocketTarget.start(echo);
  target.sockets.shouldHandle = () => false;
  await using rig = await Rig.start({ targetPort: target.port });
  const visitor = await RawClient.connect(rig.port);
  visitor.send(upgrade);
  assert.match(await visitor.receive("\r\n\r\n"), /^HTTP\/1\.1 400 /);
  visitor.close();
  await rig.quiet();
});

test("upgrades other than to a WebSocket are stripped, and the request passes", async () => {
  const heads: string[] = [];
  await using target = await RawTarget.start(
    onHeads((head, socket) => {
      heads.push(head);
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain");
    }),
  );
  await using rig = await Rig.start({ targetPort: target.port });
  const visitor = await RawClient.connect(rig.port);
  visitor.send(
    "GET / HTTP/1.1\r\nHost: demo.localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
  );
  await visitor.receive("plain");
  assert.doesNotMatch(heads[0] ?? "", /upgrade|http2-settings/i);
  visitor.close();
});

test("a slow reader of a WebSocket holds its sender back, and loses nothing", async () => {
  const total = 32;
  let sent = 0;
  await using target = await WebSocketTarget.start((socket) => {
    const next = (): void => {
      if (sent === total) return;
      sent += 1;
      socket.send(randomBytes(1_048_576), next);
    };
    next();
  });
  await using rig = await Rig.start({ targetPort: target.port });
  const socket = await dial(rig);
  let received = 0;
  socket.on("message", () => void (received += 1));
  socket.pause();
  let before = -1;
  await until(
    async () => {
      if (sent === before) return true;
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return false;
    },
    { what: "the sender is held back" },
  );
  assert.ok(sent < total, `the target could send ${sent} MiB to a visitor that reads nothing`);
  socket.resume();
  await until(() => received === total, { what: "everything arrives", timeoutMs: 30_000 });
  socket.close();
  await ending(socket);
});
