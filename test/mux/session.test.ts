// Two whole sessions over a pair in memory: greeting, exchanges, pipes, cuts, farewells.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import type { SessionCloseReason } from "../../src/mux/handlers.ts";
import { SessionTally } from "../../src/mux/session-tally.ts";
import { decodeFrames } from "../../src/wire/decode.ts";
import { frameTypes } from "../../src/wire/frame.ts";
import type { MemoryPair, StreamProbe } from "../support/session-pair.ts";
import { exchange, pipeRequest, seededChunks, sessionPair } from "../support/session-pair.ts";
import { until } from "../support/until.ts";

const ok = Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
const nothing = Buffer.alloc(0);

/** The client's probe of the nth stream. */
async function accepted(pair: MemoryPair, count = 1): Promise<StreamProbe> {
  await until(() => pair.client.owner.probes.length >= count, { what: `${count} streams arrived` });
  const probe = pair.client.owner.probes[count - 1];
  assert.ok(probe);
  return probe;
}

/** The names of the frames in `messages`, with a dot behind those that carry END. */
function frameNames(messages: readonly Buffer[]): string[] {
  const names: string[] = [];
  const nameOf = new Map<number, string>(Object.entries(frameTypes).map(([name, type]) => [type, name]));
  for (const message of messages) {
    decodeFrames(message, {
      onFrame: (type, flags) => void names.push(`${nameOf.get(type) ?? type}${flags === 1 ? "." : ""}`),
    });
  }
  return names;
}

describe("greeting", () => {
  it("tells each side of the other and measures the round trip", async () => {
    const pair = await sessionPair();
    assert.equal(pair.server.session.state, "ready");
    assert.equal(pair.server.session.hello?.instance, "client");
    assert.equal(pair.client.session.hello?.instance, "server");
    assert.ok(pair.server.session.hasRoom);
    assert.ok(!pair.client.session.hasRoom, "only servers open streams");
    await until(() => pair.server.session.rttMs > 0 && pair.client.session.rttMs > 0, { what: "round trips" });
    assert.equal(pair.server.events.heartbeats, 1);
    await pair.settle();
    assert.deepEqual(pair.server.owner.goAways, ["goodbye"]);
    assert.deepEqual(pair.client.owner.closes, ["goodbye"]);
  });

  it("passes control messages in order", async () => {
    const pair = await sessionPair();
    for (let id = 1; id <= 50; id += 1) pair.client.session.sendControl({ type: "register", id, kind: "http" });
    await until(() => pair.server.owner.controls.length === 50, { what: "all messages" });
    assert.deepEqual(
      pair.server.owner.controls.map((message) => ("id" in message ? message.id : 0)),
      Array.from({ length: 50 }, (_, index) => index + 1),
    );
    await pair.settle();
  });
});

describe("an exchange", () => {
  it("is one frame there and two back for a small GET", async () => {
    const pair = await sessionPair();
    await until(() => pair.server.session.rttMs > 0 && pair.client.session.rttMs > 0, { what: "quiet" });
    pair.serverEnd.record = true;
    pair.clientEnd.record = true;
    const visit = pair.server.open(exchange());
    assert.equal(visit.stream?.id, 0);
    assert.ok(visit.stream?.sentEnd);
    const target = await accepted(pair);
    assert.equal(visit.opened, true);
    assert.equal(visit.stream?.id, 1);
    assert.ok(target.stream?.receivedEnd);
    assert.deepEqual({ ...target.stream?.request }, { ...exchange() });
    target.stream?.sendHead(ok, "more");
    target.stream?.sendData(Buffer.from("hi"), "end");
    await until(() => visit.ended, { what: "the response" });
    assert.deepEqual(visit.heads, [ok.toString()]);
    assert.equal(visit.bytes, 2);
    assert.deepEqual(frameNames(pair.serverEnd.sent), ["open."]);
    assert.deepEqual(frameNames(pair.clientEnd.sent), ["head", "data."]);
    assert.equal(pair.serverEnd.sent.length, 1);
    assert.equal(pair.clientEnd.sent.length, 1);
    assert.equal(pair.server.session.streamCount, 0);
    assert.ok(visit.stream?.closed);
    assert.equal(pair.server.owner.rooms, 1);
    await pair.settle();
  });

  it("carries 1xx heads, bodies both ways and trailers", async () => {
    const pair = await sessionPair();
    const visit = pair.server.open(exchange({ body: "chunked", idempotent: false }));
    visit.stream?.sendData(Buffer.from("ask"), "more");
    visit.stream?.sendTrailers(Buffer.from("X-Sum: 1\r\n"));
    const target = await accepted(pair);
    await until(() => target.ended, { what: "the request" });
    assert.equal(target.bytes, 3);
    assert.equal(target.trailers, "X-Sum: 1\r\n");
    target.stream?.sendHead(Buffer.from("HTTP/1.1 103 Early Hints\r\n\r\n"), "more");
    target.stream?.sendHead(ok, "more");
    target.stream?.sendData(Buffer.from("answer"), "more");
    target.stream?.sendTrailers(Buffer.from("X-Sum: 2\r\n"));
    await until(() => visit.ended, { what: "the response" });
    assert.equal(visit.heads.length, 2);
    assert.equal(visit.bytes, 6);
    assert.equal(visit.trailers, "X-Sum: 2\r\n");
    await pair.settle();
  });

  it("lets END ride on what still waits", async () => {
    const pair = await sessionPair();
    const visit = pair.server.open(exchange());
    const target = await accepted(pair);
    pair.clientEnd.record = true;
    target.stream?.sendHead(ok, "more");
    target.stream?.sendData(nothing, "end");
    await until(() => visit.ended, { what: "the response" });
    assert.deepEqual(
      frameNames(pair.clientEnd.sent).filter((name) => name !== "pong"),
      ["head."],
    );
    await pair.settle();
  });

  it("sends the frames of one turn in one message", async () => {
    const pair = await sessionPair();
    await until(() => pair.server.session.rttMs > 0, { what: "quiet" });
    pair.serverEnd.record = true;
    const visits = Array.from({ length: 100 }, () => pair.server.open(exchange()));
    await until(() => visits.every((visit) => visit.opened), { what: "all opened" });
    assert.equal(pair.serverEnd.sent.length, 1);
    await accepted(pair, 100);
    for (const probe of pair.client.owner.probes) probe.stream?.sendHead(ok, "end");
    await until(() => visits.every((visit) => visit.ended), { what: "all answered" });
    await pair.settle();
  });

  it("is complete for its owner while its bytes are still in the owner's hands, but open until they are not", async () => {
    const pair = await sessionPair();
    const visit = pair.server.open(exchange());
    visit.holds = true;
    const target = await accepted(pair);
    target.stream?.sendHead(ok, "more");
    target.stream?.sendData(Buffer.from("hi"), "end");
    await until(() => visit.ended, { what: "the response" });
    assert.ok(!visit.stream?.closed);
    assert.equal(pair.server.session._budget.unconsumedBytes, 2);
    visit.stream?.consumed(1);
    assert.ok(!visit.stream?.closed);
    visit.stream?.consumed(100);
    assert.ok(visit.stream?.closed);
    assert.equal(pair.server.session.streamCount, 0);
    await pair.settle();
  });

  it("that was complete is not called lost when its session ends", async () => {
    const pair = await sessionPair();
    const visit = pair.server.open(exchange());
    visit.holds = true;
    const target = await accepted(pair);
    target.stream?.sendHead(ok, "more");
    target.stream?.sendData(Buffer.from("hi"), "end");
    await until(() => visit.ended, { what: "the response" });
    await pair.settle();
    assert.deepEqual(visit.resets, []);
  });
});

describe("a pipe", () => {
  it("carries bytes both ways and ends each half by itself", async () => {
    const pair = await sessionPair();
    const visit = pair.server.open(pipeRequest());
    const target = await accepted(pair);
    assert.deepEqual({ ...target.stream?.request }, { ...pipeRequest() });
    const sent = await Promise.all([
      visit.send(seededChunks(1, 300_000, 10_000)),
      target.send(seededChunks(2, 500_000, 70_000)),
    ]);
    await until(() => visit.ended && target.ended, { what: "both ends" });
    assert.deepEqual(sent, [target.digest, visit.digest]);
    await pair.settle();
  });
});

describe("a cut", () => {
  it("by the owner before OPEN left sends nothing and frees the place", async () => {
    const pair = await sessionPair();
    await until(() => pair.server.session.rttMs > 0 && pair.client.session.rttMs > 0, { what: "quiet" });
    pair.serverEnd.record = true;
    const visit = pair.server.open(exchange());
    visit.stream?.reset("cancelled");
    assert.ok(visit.stream?.closed);
    assert.equal(pair.server.session.streamCount, 0);
    const next = pair.server.open(exchange());
    await until(() => next.opened, { what: "the next is opened" });
    assert.equal(next.stream?.id, 1);
    assert.deepEqual(frameNames(pair.serverEnd.sent), ["open."]);
    assert.deepEqual(visit.resets, []);
    await pair.settle();
  });

  it("by the server is answered, and counted until then", async () => {
    const pair = await sessionPair();
    const visit = pair.server.open(exchange());
    const target = await accepted(pair);
    visit.stream?.reset("cancelled");
    visit.stream?.reset("idle");
    assert.ok(visit.stream?.closed);
    assert.equal(pair.server.session.streamCount, 1);
    const tally = new SessionTally();
    tally.add(pair.server.session);
    assert.equal(tally.probes["sessions.unanswered_resets"], 1);
    await until(() => pair.server.session.streamCount === 0, { what: "the answer" });
    assert.deepEqual(target.resets, ["cancelled"]);
    assert.deepEqual(visit.resets, [], "who cuts is not told");
    assert.deepEqual(pair.server.events.closeReasons.get("stream"), ["cancelled"]);
    await pair.settle();
  });

  it("by the client keeps its head, drops its body and does not overtake the head", async () => {
    const pair = await sessionPair();
    const visit = pair.server.open(exchange());
    const target = await accepted(pair);
    pair.clientEnd.record = true;
    target.stream?.sendHead(ok, "more");
    target.stream?.sendData(Buffer.alloc(5000), "more");
    target.stream?.reset("target_cut");
    await until(() => visit.resets.length > 0, { what: "the cut" });
    assert.deepEqual(visit.heads, [ok.toString()]);
    assert.equal(visit.bytes, 0);
    assert.deepEqual(visit.resets, ["target_cut"]);
    assert.deepEqual(
      frameNames(pair.clientEnd.sent).filter((name) => name !== "pong"),
      ["head", "reset"],
    );
    await until(() => pair.client.session.streamCount === 0, { what: "the answer" });
    await pair.settle();
  });

  it("from both sides at once needs no answer", async () => {
    const pair = await sessionPair();
    const visit = pair.server.open(exchange());
    const target = await accepted(pair);
    visit.stream?.reset("cancelled");
    target.stream?.reset("target_refused");
    await until(() => pair.server.session.streamCount + pair.client.session.streamCount === 0, { what: "both gone" });
    assert.deepEqual(visit.resets, []);
    assert.deepEqual(target.resets, []);
    await pair.settle();
  });

  it("after the peer's end needs no answer, and is one while it is on its way", async () => {
    const pair = await sessionPair();
    const visit = pair.server.open(exchange({ body: "length" }));
    const target = await accepted(pair);
    target.stream?.sendHead(ok, "end");
    await until(() => visit.ended, { what: "the response" });
    visit.stream?.reset("cancelled");
    assert.equal(pair.server.session.streamCount, 0);
    await until(() => target.resets.length > 0, { what: "the client hears of it" });
    assert.equal(pair.client.session.streamCount, 0);
    const second = pair.server.open(exchange({ body: "length" }));
    const other = await accepted(pair, 2);
    other.stream?.sendHead(ok, "end");
    second.stream?.reset("cancelled");
    await until(() => pair.server.session.streamCount + pair.client.session.streamCount === 0, { what: "END answers" });
    await pair.settle();
  });

  it("by an owner that refuses the OPEN, or throws", async () => {
    const pair = await sessionPair();
    pair.client.owner.accept = () => "no_tunnel";
    const refused = pair.server.open(exchange());
    await until(() => refused.resets.length > 0, { what: "the refusal" });
    assert.deepEqual(refused.resets, ["no_tunnel"]);
    pair.client.owner.accept = () => {
      throw new Error("a bug");
    };
    const thrown = pair.server.open(exchange({ body: "length" }));
    await until(() => thrown.resets.length > 0, { what: "the fault" });
    assert.deepEqual(thrown.resets, ["internal"]);
    pair.client.owner.accept = (stream) => {
      const probe = pair.client.owner.probe(stream);
      probe.onBytes = () => {
        throw new Error("another bug");
      };
      return probe;
    };
    const later = pair.server.open(exchange({ body: "length" }));
    later.stream?.sendData(Buffer.from("x"), "more");
    await until(() => later.resets.length > 0, { what: "the second fault" });
    assert.deepEqual(later.resets, ["internal"]);
    assert.deepEqual(pair.client.owner.probes[0]?.resets, ["internal"], "the owner that threw is told to let go");
    assert.equal(pair.client.session.state, "ready");
    pair.client.session.close("goodbye");
    await pair.server.gone();
    await pair.client.gone(2);
  });

  it("tells the owner when a response has too many heads, instead of breaking the protocol", async () => {
    const pair = await sessionPair();
    const visit = pair.server.open(exchange());
    const target = await accepted(pair);
    for (let n = 0; n < 18; n += 1) target.stream?.sendHead(Buffer.from("HTTP/1.1 103 x\r\n\r\n"), "more");
    assert.deepEqual(target.resets, ["bad_target_response"]);
    await until(() => visit.resets.length > 0, { what: "the cut" });
    assert.equal(visit.heads.length, 17);
    assert.deepEqual(pair.server.events.violations, []);
    await pair.settle();
  });

  it("ends the owner's sends silently, but a send behind an end is a bug", async () => {
    const pair = await sessionPair();
    const visit = pair.server.open(exchange({ body: "length" }));
    visit.stream?.sendData(Buffer.from("x"), "end");
    assert.throws(() => visit.stream?.sendData(Buffer.from("y"), "more"), CaissonError);
    visit.stream?.reset("cancelled");
    assert.equal(visit.stream?.sendData(Buffer.from("z"), "more"), false);
    await pair.settle();
  });
});

describe("the number of streams", () => {
  it("is limited by either side, and a freed place is announced", async () => {
    const pair = await sessionPair({ maxStreams: 3 });
    const visits = Array.from({ length: 3 }, () => pair.server.open(exchange()));
    assert.ok(!pair.server.session.hasRoom);
    assert.throws(() => pair.server.open(exchange()), { code: "E_CLOSED" });
    await accepted(pair, 3);
    pair.client.owner.probes[1]?.stream?.sendHead(ok, "end");
    await until(() => visits[1]?.ended === true, { what: "one ended" });
    assert.equal(pair.server.owner.rooms, 1);
    assert.ok(pair.server.session.hasRoom);
    await pair.settle();
    assert.deepEqual(
      visits.map((visit) => visit.resets),
      [["session_lost"], [], ["session_lost"]],
    );
  });

  it("leads to a new session when ids run out", async () => {
    const pair = await sessionPair({ limits: { lastStreamId: 2 } });
    const first = pair.server.open(exchange());
    const second = pair.server.open(exchange());
    assert.ok(!pair.server.session.hasRoom);
    await accepted(pair, 2);
    await until(() => pair.client.owner.goAways.length > 0, { what: "GOAWAY" });
    assert.deepEqual(pair.client.owner.goAways, ["ids_exhausted"]);
    for (const probe of pair.client.owner.probes) probe.stream?.sendHead(ok, "end");
    await pair.server.gone();
    await pair.client.gone();
    assert.ok(first.ended && second.ended);
    assert.deepEqual(pair.server.owner.closes, ["drained"]);
  });
});

describe("the end of a session", () => {
  it("by drain waits for the streams in flight, whoever drains", async () => {
    for (const side of ["server", "client"] as const) {
      const pair = await sessionPair();
      const visit = pair.server.open(exchange());
      const target = await accepted(pair);
      pair[side].session.drain("shutdown");
      pair[side].session.drain("shutdown");
      assert.equal(pair[side].session.state, "draining");
      assert.ok(!pair.server.session.hasRoom || side === "client");
      const other = side === "server" ? pair.client : pair.server;
      await until(() => other.owner.goAways.length > 0, { what: "GOAWAY" });
      assert.equal(other.session.state, "draining");
      assert.ok(!pair.server.session.hasRoom);
      target.stream?.sendHead(ok, "more");
      await target.send(seededChunks(3, 200_000, 20_000));
      await pair.server.gone();
      await pair.client.gone();
      assert.ok(visit.ended);
      assert.equal(visit.bytes, 200_000);
      assert.deepEqual(pair[side].owner.closes, ["drained"]);
      assert.deepEqual(other.owner.closes, ["transport_closed"]);
    }
  });

  it("by drain without streams is at once, and OPENs that cross it are refused", async () => {
    const pair = await sessionPair();
    const busy = pair.server.open(exchange());
    await accepted(pair);
    pair.client.session.drain("shutdown");
    const crossing = pair.server.open(exchange());
    await until(() => crossing.over, { what: "the crossing stream is refused" });
    assert.deepEqual(crossing.resets, ["overloaded"]);
    busy.stream?.reset("cancelled");
    await pair.server.gone();
    await pair.client.gone();
  });

  it("by close, terminate or a cut resets all streams before onClosed", async () => {
    const endings: [reason: SessionCloseReason, end: (pair: MemoryPair) => void][] = [
      ["replaced", (pair) => pair.server.session.close("replaced")],
      ["dead", (pair) => pair.server.session.terminate("dead")],
      ["transport_closed", (pair) => pair.serverEnd.cut()],
    ];
    for (const [reason, end] of endings) {
      const pair = await sessionPair();
      const visits = Array.from({ length: 5 }, () => pair.server.open(exchange({ body: "length" })));
      await accepted(pair, 5);
      const unopened = pair.server.open(exchange());
      let resetsAtClose = 0;
      const { owner } = pair.server;
      const onClosed = owner.onClosed.bind(owner);
      owner.onClosed = (session, closedBy) => {
        resetsAtClose = visits.filter((visit) => visit.resets[0] === "session_lost").length;
        onClosed(session, closedBy);
      };
      end(pair);
      await pair.server.gone();
      await pair.client.gone();
      assert.equal(resetsAtClose, 5);
      assert.deepEqual(unopened.resets, ["session_lost"]);
      assert.deepEqual(
        pair.client.owner.probes.map((probe) => probe.resets),
        Array.from({ length: 5 }, () => ["session_lost"]),
      );
      assert.deepEqual(owner.closes, [reason]);
      assert.equal(pair.server.session.state, "closed");
      pair.server.session.close("shutdown");
      pair.server.session.terminate("dead");
      pair.server.session.sendControl({ type: "closed", id: 1, reason: "late" });
      visits[0]?.stream?.sendData(Buffer.from("late"), "more");
      visits[0]?.stream?.reset("cancelled");
    }
  });

  it("does not wait for ever for a peer that does not answer the close", async () => {
    const pair = await sessionPair({ limits: { closeTimeoutMs: 300 } });
    pair.serverEnd.held = true;
    pair.server.session.close("replaced");
    assert.equal(pair.server.owner.closes.length, 0);
    await pair.server.gone();
    await pair.client.gone();
    assert.deepEqual(pair.server.owner.closes, ["replaced"]);
  });
});
