// A server that lies to its client: the client keeps the rules of the protocol, speaks to nobody but its own target,
// holds no more than it was promised, and comes back without haste.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFrame } from "../../src/wire/encode.ts";
import type { OpenExchange } from "../../src/wire/open.ts";
import { ClientRig } from "../client/client-rig.ts";
import { control, frame, hello, open, u32 } from "../support/raw-peer.ts";
import { onHeads, RawTarget } from "../support/raw-target.ts";
import { until } from "../support/until.ts";
import type { WireLogin } from "./wire-server.ts";
import { WireServer } from "./wire-server.ts";

function exchange(changes: Partial<OpenExchange> = {}): OpenExchange {
  return {
    kind: "exchange",
    tunnel: 1,
    body: "none",
    headOnly: false,
    idempotent: true,
    upgrade: false,
    expectContinue: false,
    hostAt: 22,
    hostLength: 9,
    head: Buffer.from("GET / HTTP/1.1\r\nHost: demo.test\r\n\r\n"),
    ...changes,
  };
}

const upload = exchange({
  body: "length",
  idempotent: false,
  head: Buffer.from("POST / HTTP/1.1\r\nHost: demo.test\r\nContent-Length: 1000000\r\n\r\n"),
  hostAt: 23,
});

interface Scene {
  readonly server: WireServer;
  readonly target: RawTarget;
  readonly client: ClientRig;
  readonly login: WireLogin;
}

/** A client that has its tunnel, at a target that answers each head with 200 unless told otherwise. */
async function withClient(
  play: (scene: Scene) => Promise<void>,
  behaviour: Parameters<typeof RawTarget.start>[0] = onHeads(
    (_, socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
  ),
): Promise<void> {
  await using target = await RawTarget.start(behaviour);
  await using server = await WireServer.start();
  await using client = new ClientRig({
    servers: [server.url],
    tunnels: [{ kind: "http", target: `127.0.0.1:${target.port}`, name: "demo" }],
    limits: { dialMs: 1_000 },
  });
  await client.client.start();
  await play({ server, target, client, login: await server.login(0) });
}

/** Messages that break the protocol: each ends the session, and only the session. */
const violations: readonly (readonly [what: string, messages: readonly (Buffer | string)[]])[] = [
  ["a response head", [Buffer.concat([open(1, upload), frame("head", 1, "HTTP/1.1 200 OK\r\n\r\n")])]],
  ["an id twice", [Buffer.concat([open(1, upload), open(1, upload)])]],
  ["an id below the last", [Buffer.concat([open(5, upload), open(3, upload)])]],
  ["data for a stream that was never opened", [frame("data", 9, "hello")]],
  ["data behind the end", [Buffer.concat([open(1, exchange(), "end"), frame("data", 1, "hello")])]],
  [
    "more than the window",
    [Buffer.concat([open(1, upload), frame("data", 1, Buffer.alloc(60_000)), frame("data", 1, Buffer.alloc(60_000))])],
  ],
  ["credit of nothing", [Buffer.concat([open(1, upload), frame("credit", 1, u32(0))])]],
  ["credit above all bounds", [Buffer.concat([open(1, upload), frame("credit", 1, u32(2 ** 31 - 1))])]],
  ["an OPEN of an unknown kind", [frame("open", 1, Buffer.from([9, 0, 0, 0, 0, 1, 0, 0, 0, 0, 65]))]],
  ["an OPEN whose Host is outside of its head", [open(1, exchange({ hostAt: 60_000 }))]],
  ["an OPEN that is cut short", [frame("open", 1, Buffer.from([1, 0, 0]))]],
  ["a second hello", [hello()]],
  ["a frame that its message does not hold", [encodeFrame(3, 0, 1, Buffer.alloc(10)).subarray(0, 12)]],
  ["an unknown frame type", [encodeFrame(0x40, 0, 0, Buffer.alloc(1))]],
  ["a flag that does not exist", [encodeFrame(7, 0x80, 0, Buffer.alloc(8))]],
  ["a text message", ["hello"]],
  ["a message of 1 MiB", [Buffer.alloc(1024 * 1024)]],
  ["a registration that makes no sense", [control({ type: "registered", id: 1 })]],
  ["a PONG for nothing", [frame("pong", 0, Buffer.alloc(8))]],
  ["PINGs without end", [Buffer.concat(Array.from({ length: 300 }, () => frame("ping", 0, Buffer.alloc(8))))]],
];

void test("a server that breaks the protocol loses the session, and the client tries again", async (t) => {
  for (const [what, messages] of violations) {
    await t.test(what, async () => {
      await withClient(async ({ server, client, login }) => {
        for (const message of messages) login.socket.send(message);
        await login.gone();
        assert.ok(login.closeCode === 1008 || login.closeCode === 1009, `closed with ${login.closeCode}`);
        await server.login(1);
        assert.equal(client.failures.length, 0);
        await until(() => client.ledger.live("stream") === 0 && client.ledger.live("local_socket") === 0, {
          what: "nothing of it is left",
        });
      });
    });
  }
});

void test("streams for tunnels that the client does not have reach no target", async () => {
  await withClient(async ({ target, login, client }) => {
    login.send(open(1, exchange({ tunnel: 2 }), "end"), open(2, { kind: "pipe", tunnel: 1, visitor: "6.6.6.6" }));
    login.send(open(3, { kind: "pipe", tunnel: 2 ** 31, visitor: "" }));
    await until(() => login.seen("reset").length === 3, { what: "all are reset" });
    assert.deepEqual(
      login.seen("reset").map(({ payload }) => payload[0]),
      [7, 7, 7],
    );
    assert.equal(target.accepted, 0);
    assert.equal(client.ledger.accounts.local_socket.opened, 0);
  });
});

void test("whatever a head says, the client connects to its own target only", async () => {
  const heads: string[] = [];
  await withClient(
    async ({ login }) => {
      const lines = [
        "GET http://169.254.169.254/latest HTTP/1.1",
        "CONNECT 10.0.0.1:22 HTTP/1.1",
        "GET @10.0.0.1/ HTTP/1.1",
      ];
      for (const [index, line] of lines.entries()) {
        const head = Buffer.from(`${line}\r\nHost: 10.0.0.1:22\r\n\r\n`);
        login.send(open(index + 1, exchange({ head, hostAt: 0, hostLength: 0 }), "end"));
      }
      await until(() => heads.length === lines.length, { what: "the target got them all" });
      await until(() => login.seen("head").length === lines.length, { what: "and answered" });
    },
    onHeads((head, socket) => {
      heads.push(head);
      socket.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    }),
  );
});

void test("more streams than agreed end the session and every connection to the target", async () => {
  await withClient(
    async ({ login, client, target }) => {
      for (let id = 1; id <= 1_100; id += 1) login.send(open(id, exchange(), "end"));
      await login.gone();
      assert.equal(login.closeCode, 1008);
      await until(() => target.sockets.size === 0 && client.ledger.live("local_socket") === 0, {
        what: "the target's connections are closed",
      });
      assert.ok(client.ledger.accounts.stream.opened <= 1_024);
    },
    (socket) => void socket.resume(),
  );
});

void test("streams that are opened and cut ten thousand times leave nothing behind", async () => {
  await withClient(async ({ login, client, target }) => {
    let id = 0;
    for (let round = 0; round < 200; round += 1) {
      const frames: Buffer[] = [];
      for (let n = 0; n < 50; n += 1) {
        id += 1;
        frames.push(open(id, exchange(), "end"), frame("reset", id, Buffer.of(0)));
      }
      login.send(...frames);
      if (round % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    login.send(open(id + 1, exchange(), "end"));
    await until(() => login.seen("head").some(({ stream }) => stream === id + 1), {
      what: "the next one is served",
      timeoutMs: 20_000,
    });
    await until(() => client.ledger.live("stream") === 0 && client.ledger.live("local_socket") <= 1, {
      what: "all are gone",
    });
    await until(() => target.sockets.size <= 1, { what: "also for the target" });
    assert.equal(login.closeCode, undefined);
  });
});

void test("bytes behind a request are refused, and its target is cut off", async () => {
  await withClient(async ({ login, target }) => {
    login.send(open(1, exchange({ body: "none", upgrade: true })));
    login.send(frame("data", 1, "GET /smuggled HTTP/1.1\r\n\r\n"));
    await until(() => login.seen("reset").length === 1 || login.seen("head").length === 1, { what: "it is answered" });
    await until(() => target.sockets.size === 0, { what: "the connection is not kept" });
  });
});

void test("a server that lets a client in and throws it out at once is not asked in haste", async () => {
  await withClient(async ({ server, login }) => {
    server.firstWords = ["not a greeting"];
    login.socket.terminate();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assert.ok(server.logins.length < 30, `${server.logins.length} logins`);
  });
});

void test("a server that never answers a registration is left", async () => {
  await withClient(async ({ server, login }) => {
    server.grant = () => undefined;
    login.socket.terminate();
    const second = await server.login(1);
    await second.gone();
    await server.login(2);
  });
});

void test("words that nobody asked for change nothing", async () => {
  await withClient(async ({ login, target, client }) => {
    login.send(
      control({ type: "registered", id: 77, name: "x", url: "u", direct: { url: "u", host: "h" }, resumeKey: "k" }),
      control({ type: "refused", id: 77, code: "name_taken", message: "no" }),
      control({ type: "closed", id: 77, reason: "closed_by_operator" }),
      control({ type: "register", id: 1, kind: "http" }),
      control({ type: "unregister", id: 1 }),
      control({ type: "from_the_future", id: {} }),
      control({ type: "notice", pauseMs: 300_000 }),
      frame("reset", 1, Buffer.of(0)).subarray(0, 0),
    );
    login.send(open(1, exchange(), "end"));
    await until(() => login.seen("head").length === 1, { what: "the next request is served" });
    assert.equal(target.accepted, 1);
    assert.equal(client.tunnels.length, 1);
    assert.equal(client.failures.length, 0);
  });
});

void test("a GOAWAY from the future is a shutdown: streams in flight go on, and the client comes back", async () => {
  await withClient(async ({ server, login, client }) => {
    login.send(open(1, exchange(), "end"), frame("goaway", 0, Buffer.concat([u32(1), Buffer.of(250)])));
    await until(() => login.seen("head").length === 1, { what: "the stream in flight is answered" });
    await server.login(1);
    assert.equal(client.failures.length, 0);
  });
});
