// A recorded client of the first version talks to the server of today: it must be understood to the last byte, and be
// answered with what it knows. When this fails, old clients stop working: change the protocol's name, not the recording.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeControl } from "../../src/wire/control-codec.ts";
import { decodeFrames } from "../../src/wire/decode.ts";
import { frameTypes } from "../../src/wire/frame.ts";
import { decodeOpen } from "../../src/wire/open-codec.ts";
import { readPackageFile } from "../support/package-file.ts";
import type { RawPair, SeenFrame } from "../support/raw-peer.ts";
import { RawPeer, silentPair } from "../support/raw-peer.ts";
import type { StreamProbe } from "../support/session-pair.ts";
import { transportPair } from "../support/transport-pair.ts";
import { until } from "../support/until.ts";

interface ClientStep {
  readonly from: "client";
  readonly note: string;
  readonly message: string;
}

interface ServerStep {
  readonly from: "server";
  readonly note: string;
  readonly frames: readonly string[];
}

function recording(): readonly (ClientStep | ServerStep)[] {
  const { steps }: { steps: (ClientStep | ServerStep)[] } = JSON.parse(
    readPackageFile("test/wire/fixtures/v1-client.json"),
  );
  return steps;
}

/** Frames of a recorded message. */
function framesOf(hex: string): SeenFrame[] {
  const reader = new RawPeer(transportPair()[0]);
  reader.onMessage(Buffer.from(hex, "hex"));
  return reader.frames;
}

/** Plays the server of the recording: does what made it send `frames`. */
function act(pair: RawPair, probes: Map<number, StreamProbe>, frames: readonly SeenFrame[]): void {
  for (const { type, stream, payload, end } of frames) {
    const probe = probes.get(stream);
    switch (type) {
      case "open": {
        probes.set(stream, pair.side.open(decodeOpen(payload, 0, payload.length)));
        break;
      }
      case "data":
        probe?.stream?.sendData(payload, end ? "end" : "more");
        break;
      case "trailers":
        probe?.stream?.sendTrailers(payload);
        break;
      case "control": {
        const message = decodeControl(payload);
        if (message && message.type !== "hello") pair.side.session.sendControl(message);
        break;
      }
      default:
        // RESET is done when the stream has been opened; the rest the session does by itself.
        break;
    }
  }
}

/** What must be equal to the recording whatever else a later version adds. */
function essence(frames: readonly SeenFrame[]): unknown[] {
  const streams = new Map<number, { open: string; data: string; trailers: string; end: boolean; reset: number }>();
  const controls: unknown[] = [];
  for (const { type, stream, payload, end } of frames) {
    if (type === "control") controls.push(decodeControl(payload)?.type);
    if (stream === 0) continue;
    const seen = streams.get(stream) ?? { open: "", data: "", trailers: "", end: false, reset: -1 };
    streams.set(stream, seen);
    if (type === "open") seen.open = payload.toString("hex");
    if (type === "data") seen.data += payload.toString("latin1");
    if (type === "trailers") seen.trailers += payload.toString("latin1");
    if (type === "reset") seen.reset = payload[0] ?? -1;
    seen.end ||= end;
  }
  return [controls, [...streams]];
}

describe("a recorded client of version 0.1.0", () => {
  it("is understood, and answered with what it knows", async () => {
    const pair = silentPair("server");
    const probes = new Map<number, StreamProbe>();
    const expected: SeenFrame[] = [];
    for (const step of recording()) {
      if (step.from === "client") {
        const message = Buffer.from(step.message, "hex");
        pair.peer.end.send(message, message.length);
        continue;
      }
      const frames = step.frames.flatMap(framesOf);
      expected.push(...frames);
      // A server does not act before it has heard what it answers.
      await new Promise((resolve) => setTimeout(resolve, 20));
      act(pair, probes, frames);
      const want = JSON.stringify(essence(expected.filter(({ type }) => type !== "reset")));
      await until(() => JSON.stringify(essence(pair.peer.frames.filter(({ type }) => type !== "reset"))) === want, {
        what: `the server sends: ${step.note}`,
        timeoutMs: 3000,
        detail: () => essence(pair.peer.frames),
      });
      for (const { type, stream } of frames) if (type === "reset") probes.get(stream)?.stream?.reset("cancelled");
    }
    await until(() => pair.side.owner.goAways.length === 1, { what: "goodbye" });
    await until(() => pair.side.session.streamCount === 0, { what: "every stream is over" });

    assert.deepEqual(pair.side.events.violations, []);
    assert.deepEqual(pair.side.owner.goAways, ["goodbye"]);
    assert.equal(pair.side.session.hello?.instance, "recorded-v1");
    assert.deepEqual(pair.side.owner.controls, [{ type: "register", id: 1, kind: "http", name: "demo" }]);
    assert.equal(pair.side.events.heartbeats, 1, "its PONG is one");
    assert.deepEqual(essence(pair.peer.frames), essence(expected));
    const told = [...probes.values()].map(({ heads, bytes, ended, resets }) => ({
      heads: heads.map((head) => head.slice(9, 12)),
      bytes,
      ended,
      resets,
    }));
    assert.deepEqual(told, [
      { heads: ["103", "200"], bytes: 5, ended: true, resets: [] },
      { heads: ["204"], bytes: 0, ended: true, resets: [] },
      { heads: ["101"], bytes: 6, ended: true, resets: [] },
      { heads: [], bytes: 0, ended: false, resets: ["target_refused"] },
      { heads: [], bytes: 0, ended: false, resets: [] },
      { heads: [], bytes: 12, ended: true, resets: [] },
    ]);
    pair.side.session.close("shutdown");
    await pair.side.gone();
  });

  it("was recorded by the letter of docs/protocol.md", () => {
    const types = new Set<number>();
    for (const step of recording()) {
      const messages = step.from === "client" ? [step.message] : step.frames;
      for (const hex of messages) {
        decodeFrames(Buffer.from(hex, "hex"), { onFrame: (type) => void types.add(type) });
      }
    }
    assert.deepEqual(
      [...types].toSorted((a, b) => a - b),
      Object.values(frameTypes),
      "every type occurs",
    );
  });
});
