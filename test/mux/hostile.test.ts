// Peers that break the protocol, in either role: each breach is counted, ends its session with the right word and code,
// and leaves nothing behind. And what looks odd but is allowed.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeFrame } from "../../src/wire/encode.ts";
import { frameTypes } from "../../src/wire/frame.ts";
import { maxFramePayload } from "../../src/wire/limits.ts";
import type { ViolationReason } from "../../src/wire/violation.ts";
import type { RawPair, RawPairOptions } from "../support/raw-peer.ts";
import { control, frame, hello, numberOf, open, rawPair, silentPair, u32 } from "../support/raw-peer.ts";
import type { StreamProbe } from "../support/session-pair.ts";
import { exchange, pipeRequest } from "../support/session-pair.ts";
import { until } from "../support/until.ts";

const head = Buffer.from("HTTP/1.1 200 OK\r\n\r\n");

/** Waits until the session has ended over `reason`, and proves that it left nothing. */
async function ended({ side, peer }: RawPair, reason: ViolationReason): Promise<void> {
  await until(() => peer.closed, {
    what: "the close",
    detail: () => ({ reason, frames: peer.frames.map((f) => f.type) }),
  });
  assert.deepEqual(side.events.violations, [reason]);
  assert.equal(peer.closeReason, reason);
  assert.equal(peer.closeCode, 1008);
  const goAway = peer.frames.at(-1);
  assert.equal(goAway?.type, "goaway");
  assert.equal(goAway?.payload[4], 7);
  await side.gone();
  assert.deepEqual(side.owner.closes, ["violation"]);
}

/** A server with one stream open towards the raw client. */
async function serverWithStream(
  request = exchange({ body: "length" }),
  options: RawPairOptions = {},
): Promise<RawPair & { readonly probe: StreamProbe }> {
  const pair = await rawPair("server", options);
  const probe = pair.side.open(request);
  await pair.peer.next("open");
  return { ...pair, probe };
}

describe("before hello", () => {
  const early: [string, Buffer][] = [
    ["PING", frame("ping", 0, Buffer.alloc(8))],
    ["OPEN", open(1, exchange())],
    ["another CONTROL message", control({ type: "notice", pauseMs: 1 })],
    ["a CONTROL message of no known type", control({ type: "later" })],
    ["a frame of a later version", encodeFrame(0x90, 0, 0, Buffer.alloc(1))],
  ];
  for (const role of ["server", "client"] as const) {
    for (const [what, bytes] of early) {
      it(`a ${role} refuses ${what}`, async () => {
        const pair = silentPair(role);
        pair.peer.send(bytes);
        await ended(pair, "hello_expected");
        assert.equal(pair.side.owner.ready, 0);
      });
    }

    it(`a ${role} refuses another protocol`, async () => {
      const pair = silentPair(role);
      pair.peer.send(control({ type: "hello", protocol: "caisson.v9" }));
      await ended(pair, "protocol_version");
    });

    it(`a ${role} waits only so long`, async () => {
      const pair = silentPair(role, { limits: { helloMs: 100 } });
      await until(() => pair.peer.closed, { what: "the end" });
      await pair.side.gone();
      assert.deepEqual(pair.side.owner.closes, ["handshake_timeout"]);
    });
  }
});

describe("a breach by either peer", () => {
  const breaches: [ViolationReason, string, readonly Buffer[]][] = [
    ["hello_repeated", "a second hello", [hello()]],
    ["bad_control", "broken JSON", [frame("control", 0, "{")]],
    ["bad_control", "a wrong shape", [control({ type: "register", id: "one" })]],
    ["frame_type", "an unknown type", [encodeFrame(0x7f, 0, 1, Buffer.alloc(1))]],
    ["frame_flags", "a wrong flag", [encodeFrame(frameTypes.data, 4, 1, Buffer.alloc(1))]],
    ["frame_stream", "DATA on stream 0", [frame("data", 0, "x")]],
    ["frame_stream", "PING on a stream", [frame("ping", 1, Buffer.alloc(8))]],
    ["frame_length", "a short PING", [frame("ping", 0, Buffer.alloc(7))]],
    ["frame_length", "empty DATA that ends nothing", [frame("data", 1)]],
    ["frame_too_large", "a frame above 64 KiB", [frame("data", 1, Buffer.alloc(maxFramePayload + 1))]],
    ["frame_truncated", "half a frame", [frame("data", 1, "payload").subarray(0, 12)]],
    ["empty_message", "a message without frames", []],
    ["stream_unknown", "DATA for a stream that never was", [frame("data", 7, "x")]],
    ["stream_unknown", "RESET of a stream that never was", [frame("reset", 7, Buffer.of(0))]],
    ["stream_unknown", "CREDIT for a stream that never was", [frame("credit", 7, u32(1))]],
    ["pong_unasked", "a PONG to no PING", [frame("pong", 0, Buffer.concat([u32(0), u32(9999)]))]],
    ["pong_unasked", "a PONG of foreign bytes", [frame("pong", 0, Buffer.alloc(8, 0xff))]],
  ];
  for (const role of ["server", "client"] as const) {
    for (const [reason, what, frames] of breaches) {
      it(`${what}, to a ${role}`, async () => {
        const pair = await rawPair(role);
        pair.peer.send(...frames);
        await ended(pair, reason);
      });
    }

    it(`stops at the first breach, to a ${role}`, async () => {
      const pair = await rawPair(role);
      pair.peer.send(frame("data", 7, "x"), frame("data", 8, "x"), control({ type: "notice", pauseMs: 1 }));
      pair.peer.send(hello());
      await ended(pair, "stream_unknown");
      assert.deepEqual(pair.side.owner.controls, []);
    });
  }
});

describe("a breach by a client", () => {
  const breaches: [ViolationReason, string, readonly Buffer[]][] = [
    ["frame_direction", "OPEN", [open(2, exchange())]],
    ["data_before_head", "DATA before HEAD", [frame("data", 1, "x")]],
    ["data_before_head", "an end before HEAD", [frame("data", 1, "", "end")]],
    ["data_before_head", "TRAILERS before HEAD", [frame("trailers", 1, "a: b\r\n", "end")]],
    ["frame_after_end", "DATA behind its end", [frame("head", 1, head, "end"), frame("data", 1, "x")]],
    ["frame_after_end", "HEAD behind its end", [frame("head", 1, head, "end"), frame("head", 1, head)]],
    ["frame_after_end", "a second end", [frame("head", 1, head, "end"), frame("data", 1, "", "end")]],
    ["too_many_heads", "18 heads", Array.from({ length: 18 }, () => frame("head", 1, head))],
    ["credit_zero", "a CREDIT of nothing", [frame("credit", 1, u32(0))]],
    ["credit_overflow", "a CREDIT of 2^32 - 1", [frame("credit", 1, u32(0xffffffff))]],
    [
      "credit_overflow",
      "CREDIT that adds up to 2^31",
      [frame("credit", 1, u32(2 ** 31 - 1 - 65_536)), frame("credit", 1, u32(1))],
    ],
  ];
  for (const [reason, what, frames] of breaches) {
    it(what, async () => {
      const pair = await serverWithStream();
      pair.peer.send(...frames);
      await ended(pair, reason);
      assert.deepEqual(pair.probe.resets, ["session_lost"]);
    });
  }

  it("DATA above its window", async () => {
    const pair = await serverWithStream();
    pair.probe.holds = true;
    pair.peer.send(frame("head", 1, head), frame("data", 1, Buffer.alloc(65_000)));
    pair.peer.send(frame("data", 1, Buffer.alloc(536)));
    await until(() => pair.probe.bytes === 65_536, { what: "a full window" });
    pair.peer.send(frame("data", 1, Buffer.alloc(1)));
    await ended(pair, "window_exceeded");
    assert.equal(pair.probe.bytes, 65_536);
  });

  it("heads above 128 KiB in all", async () => {
    const pair = await serverWithStream();
    for (let n = 0; n < 3; n += 1) pair.peer.send(frame("head", 1, Buffer.alloc(50_000, 0x61)));
    await ended(pair, "too_many_heads");
    assert.equal(pair.probe.heads.length, 2);
  });

  it("HEAD or TRAILERS in a pipe", async () => {
    for (const bytes of [frame("head", 1, head), frame("trailers", 1, "a: b\r\n", "end")]) {
      const pair = await rawPair("server");
      pair.side.open(pipeRequest());
      await pair.peer.next("open");
      pair.peer.send(bytes);
      await ended(pair, "frame_direction");
    }
  });
});

describe("a breach by a server", () => {
  const breaches: [ViolationReason, string, readonly Buffer[]][] = [
    ["frame_direction", "HEAD", [open(1, exchange()), frame("head", 1, head)]],
    ["stream_id", "the same id again", [open(5, exchange()), open(5, exchange())]],
    ["stream_id", "a lower id", [open(5, exchange()), open(4, exchange())]],
    ["bad_open", "an OPEN of nonsense", [frame("open", 1, "nonsense")]],
    ["too_many_streams", "more streams than agreed", [1, 2, 3, 4, 5].map((id) => open(id, exchange()))],
    ["frame_after_end", "DATA behind an OPEN that ends", [open(1, exchange(), "end"), frame("data", 1, "x")]],
    ["frame_direction", "TRAILERS in a pipe", [open(1, pipeRequest()), frame("trailers", 1, "a: b\r\n", "end")]],
  ];
  for (const [reason, what, frames] of breaches) {
    it(what, async () => {
      const pair = await rawPair("client", { maxStreams: 4 });
      pair.peer.send(...frames);
      await ended(pair, reason);
      for (const probe of pair.side.owner.probes) assert.deepEqual(probe.resets, ["session_lost"]);
    });
  }

  it("DATA above its window", async () => {
    const pair = await rawPair("client");
    pair.side.owner.accept = (stream) => {
      const probe = pair.side.owner.probe(stream);
      probe.holds = true;
      return probe;
    };
    pair.peer.send(open(1, exchange({ body: "length" })), frame("data", 1, Buffer.alloc(60_000)));
    pair.peer.send(frame("data", 1, Buffer.alloc(5537)));
    await ended(pair, "window_exceeded");
  });
});

describe("floods", () => {
  it("of PINGs", async () => {
    const pair = await rawPair("server", { limits: { pings: 50 } });
    for (let n = 0; n < 60; n += 1) pair.peer.send(frame("ping", 0, Buffer.alloc(8, n)));
    await ended(pair, "ping_flood");
    assert.ok(pair.peer.seen("pong").length <= 50);
  });

  it("of CONTROL messages", async () => {
    const pair = await rawPair("server", { limits: { controlBytes: 100_000 } });
    const message = control({ type: "later", padding: "x".repeat(10_000) });
    for (let n = 0; n < 12; n += 1) pair.peer.send(message);
    await ended(pair, "control_flood");
  });

  it("of bytes for streams that are gone, and of frames that nobody knows", async () => {
    for (const waste of [
      frame("data", 1, Buffer.alloc(10_000)),
      encodeFrame(0xf0, 0xff, 0xffffffff, Buffer.alloc(10_000)),
    ]) {
      const pair = await serverWithStream(exchange(), { limits: { deadBytes: 100_000 } });
      pair.peer.send(frame("head", 1, head, "end"));
      await until(() => pair.side.session.streamCount === 0, { what: "the stream is gone" });
      for (let n = 0; n < 9; n += 1) pair.peer.send(waste);
      pair.peer.send(frame("ping", 0, Buffer.alloc(8)));
      await pair.peer.next("pong");
      assert.deepEqual(pair.side.events.violations, [], "a few are normal");
      pair.peer.send(waste);
      await ended(pair, "dead_bytes");
    }
  });

  it("of OPEN and RESET cost a place only until they are answered", async () => {
    const pair = await rawPair("client", { maxStreams: 10 });
    const count = 100_000;
    for (let id = 1; id <= count; id += 500) {
      const frames: Buffer[] = [];
      for (let n = id; n < id + 500; n += 1) frames.push(open(n, exchange()), frame("reset", n, Buffer.of(0)));
      pair.peer.send(...frames);
      await new Promise(setImmediate);
    }
    await until(() => pair.peer.seen("reset").length === count, { what: "every RESET is answered", timeoutMs: 30_000 });
    assert.equal(pair.side.session.streamCount, 0);
    assert.deepEqual(pair.side.events.violations, []);
    pair.side.session.close("goodbye");
    await pair.side.gone();
  });

  it("by a peer that reads nothing end the session before they fill the memory", async () => {
    const pair = await rawPair("server", { limits: { maxControlQueueBytes: 50_000, pings: 1e9 } });
    pair.peer.end.holdPeer();
    for (let n = 0; n < 4000; n += 1) pair.peer.send(frame("ping", 0, Buffer.alloc(8)));
    await until(() => pair.side.events.violations.length > 0, { what: "the violation" });
    assert.deepEqual(pair.side.events.violations, ["not_reading"]);
    assert.ok(pair.side.session.bufferedBytes < 200_000);
    pair.side.session.terminate("dead");
    await pair.side.gone();
  });
});

describe("RESET", () => {
  it("that is never answered ends the session, if the peer is there", async () => {
    const pair = await serverWithStream(exchange(), { limits: { resetAnswerMs: 200 } });
    pair.probe.stream?.reset("cancelled");
    // A peer that answers PINGs, but not the RESET.
    let answered = 0;
    const answer = setInterval(() => {
      for (const ping of pair.peer.seen("ping").slice(answered)) {
        answered += 1;
        pair.peer.send(frame("pong", 0, ping.payload));
      }
    }, 10);
    try {
      await pair.peer.next("reset");
      await ended(pair, "reset_unanswered");
    } finally {
      clearInterval(answer);
    }
  });

  it("keeps its place, and its window, until it is answered by RESET or END", async () => {
    for (const reply of [frame("reset", 1, Buffer.of(0)), frame("head", 1, head, "end")]) {
      const pair = await serverWithStream(exchange(), { maxStreams: 1 });
      pair.probe.stream?.reset("cancelled");
      await pair.peer.next("reset");
      assert.ok(!pair.side.session.hasRoom);
      pair.peer.send(frame("head", 1, head), frame("data", 1, Buffer.alloc(60_000)));
      pair.peer.send(frame("ping", 0, Buffer.alloc(8)));
      await pair.peer.next("pong");
      assert.equal(pair.side.session._budget.unconsumedBytes, 0);
      assert.equal(pair.probe.bytes, 0);
      pair.peer.send(reply);
      await until(() => pair.side.session.hasRoom, { what: "room" });
      assert.deepEqual(pair.side.events.violations, []);
      pair.side.session.close("shutdown");
      await pair.side.gone();
    }
  });

  it("with a code of a later version means internal", async () => {
    const pair = await serverWithStream();
    pair.peer.send(frame("reset", 1, Buffer.of(200)));
    await until(() => pair.probe.resets.length > 0, { what: "the reset" });
    assert.deepEqual(pair.probe.resets, ["internal"]);
    assert.equal((await pair.peer.next("reset")).stream, 1, "it is answered");
    pair.side.session.close("shutdown");
    await pair.side.gone();
  });

  it("is not answered by who has ended already", async () => {
    const pair = await serverWithStream(exchange());
    pair.peer.send(frame("reset", 1, Buffer.of(0)), frame("ping", 0, Buffer.alloc(8)));
    await pair.peer.next("pong");
    assert.deepEqual(pair.peer.seen("reset"), []);
    assert.deepEqual(pair.probe.resets, ["cancelled"]);
    pair.side.session.close("shutdown");
    await pair.side.gone();
  });
});

describe("what looks odd but is allowed", () => {
  it("gaps between ids, frames for streams that are gone, frames of later versions, unknown messages", async () => {
    const pair = await rawPair("client");
    pair.peer.send(
      open(10, exchange()),
      frame("reset", 10, Buffer.of(0)),
      frame("credit", 10, u32(5)),
      frame("data", 10, "late"),
      frame("reset", 10, Buffer.of(0)),
      frame("data", 3, "never was, but lower"),
      encodeFrame(0x80, 0xff, 77, Buffer.from("later")),
      control({ type: "later" }),
      open(2 ** 31 - 1, exchange()),
      frame("ping", 0, Buffer.from("12345678")),
    );
    const pong = await pair.peer.next("pong");
    assert.equal(pong.payload.toString(), "12345678");
    assert.equal(pair.side.session.streamCount, 1);
    assert.deepEqual(pair.side.events.violations, []);
    pair.side.session.close("goodbye");
    await pair.side.gone();
  });

  it("a GOAWAY of a later version, twice", async () => {
    const pair = await rawPair("client");
    pair.peer.send(frame("goaway", 0, Buffer.of(0, 0, 0, 0, 99)), frame("goaway", 0, Buffer.of(0, 0, 0, 0, 2)));
    await until(() => pair.side.owner.goAways.length === 2, { what: "both" });
    assert.deepEqual(pair.side.owner.goAways, ["shutdown", "replaced"]);
    pair.side.session.close("goodbye");
    await pair.side.gone();
  });

  it("a client that lingers over a request body does not count against the agreed number", async () => {
    const pair = await rawPair("client", { maxStreams: 1 });
    pair.side.owner.accept = (stream) => {
      const probe = pair.side.owner.probe(stream);
      probe.holds = true;
      return probe;
    };
    pair.peer.send(open(1, exchange({ body: "length" })), frame("data", 1, "body", "end"));
    await until(() => pair.side.owner.probes[0]?.ended === true, { what: "the request" });
    pair.side.owner.probes[0]?.stream?.sendHead(head, "end");
    await until(() => pair.peer.seen("head").length === 1, { what: "the response" });
    assert.equal(pair.side.session.streamCount, 1);
    pair.peer.send(open(2, exchange()));
    await until(() => pair.side.owner.probes.length === 2, { what: "the next" });
    assert.deepEqual(pair.side.events.violations, []);
    pair.side.session.close("goodbye");
    await pair.side.gone();
  });

  it("credit in single bytes", async () => {
    const pair = await serverWithStream();
    pair.probe.stream?.sendData(Buffer.alloc(65_540, 1), "end");
    await until(() => bytesOf(pair) === 65_536, { what: "the window" });
    for (let n = 0; n < 4; n += 1) pair.peer.send(frame("credit", 1, u32(1)));
    await until(() => bytesOf(pair) === 65_540, { what: "the rest" });
    assert.ok(pair.peer.seen("data").at(-1)?.end);
    pair.side.session.close("shutdown");
    await pair.side.gone();
  });
});

function bytesOf(pair: RawPair): number {
  return pair.peer.seen("data").reduce((sum, seen) => sum + seen.payload.length, 0);
}

describe("a session's own frames", () => {
  it("never give credit on receipt, and then in steps of half a window", async () => {
    const pair = await serverWithStream();
    pair.probe.holds = true;
    pair.peer.send(frame("head", 1, head), frame("data", 1, Buffer.alloc(60_000)));
    await until(() => pair.probe.owed === 60_000, { what: "the bytes" });
    pair.probe.consume(32_767);
    pair.peer.send(frame("ping", 0, Buffer.alloc(8)));
    await pair.peer.next("pong");
    assert.deepEqual(pair.peer.seen("credit"), []);
    pair.probe.consume(1);
    assert.equal(numberOf(await pair.peer.next("credit")), 32_768);
    pair.side.session.close("shutdown");
    await pair.side.gone();
  });
});

describe("heads in both directions", () => {
  it("are counted by direction, so that what one side sends is never blamed on the other", async () => {
    const pair = await serverWithStream(exchange({ body: "chunked" }));
    pair.probe.stream?.sendTrailers(Buffer.alloc(60_000, 0x61));
    pair.peer.send(frame("head", 1, Buffer.alloc(64_000, 0x61)), frame("head", 1, Buffer.alloc(64_000, 0x61), "end"));
    await until(() => pair.probe.ended, { what: "the response" });
    assert.equal(pair.peer.seen("trailers").length, 1);
    assert.deepEqual(pair.side.events.violations, []);
    pair.side.session.close("shutdown");
    await pair.side.gone();
  });
});
