// A peer that speaks the wire by hand: it sends any bytes to a session and reads back what comes as frames.
// For hostile tests of either role, and for recorded conversations.

import assert from "node:assert/strict";
import { decodeFrames, readU32 } from "../../src/wire/decode.ts";
import { encodeFrame } from "../../src/wire/encode.ts";
import type { FrameType } from "../../src/wire/frame.ts";
import { frameTypes } from "../../src/wire/frame.ts";
import { openPrefixBytes, openTail, putOpenPrefix } from "../../src/wire/open-codec.ts";
import type { OpenRequest } from "../../src/wire/open.ts";
import type { TransportReceiver } from "../../src/mux/transport.ts";
import type { GrowthBudget } from "../../src/mux/growth-budget.ts";
import type { MuxLimits } from "../../src/mux/limits.ts";
import { SessionSide } from "./session-pair.ts";
import type { PairedTransport } from "./transport-pair.ts";
import { transportPair } from "./transport-pair.ts";
import { until } from "./until.ts";

/** One frame as it was received. */
export interface SeenFrame {
  readonly type: FrameType;
  readonly end: boolean;
  readonly stream: number;
  readonly payload: Buffer;
}

const typeNames: ReadonlyMap<number, FrameType> = new Map(
  Object.entries(frameTypes).map(([name, type]) => [type, name as FrameType]),
);

/** The hand-driven end of a transport. */
export class RawPeer implements TransportReceiver {
  readonly frames: SeenFrame[] = [];
  closeCode = 0;
  closeReason = "";
  closed = false;
  readonly end: PairedTransport;

  constructor(end: PairedTransport) {
    this.end = end;
    end.receiver = this;
  }

  /** Sends one message of the given frames. */
  send(...frames: readonly Buffer[]): void {
    const message = Buffer.concat(frames);
    this.end.send(message, message.length);
  }

  /** Frames of one type, in order. */
  seen(type: FrameType): SeenFrame[] {
    return this.frames.filter((seen) => seen.type === type);
  }

  /** Waits for the `count`th frame of a type. */
  async next(type: FrameType, count = 1): Promise<SeenFrame> {
    await until(() => this.seen(type).length >= count, { what: `${count} ${type} frames`, detail: () => this.frames });
    return this.seen(type)[count - 1] ?? assert.fail();
  }

  onMessage(message: Buffer): void {
    decodeFrames(message, {
      onFrame: (number, flags, stream, bytes, start, end) => {
        const type = typeNames.get(number) ?? assert.fail(`frame type ${number}`);
        this.frames.push({ type, end: flags === 1, stream, payload: Buffer.from(bytes.subarray(start, end)) });
      },
    });
  }

  onSent(): void {}

  onClosed(code: number, reason: string): void {
    this.closed = true;
    this.closeCode = code;
    this.closeReason = reason;
  }

  onError(error: unknown): void {
    throw error;
  }
}

/** A session of one role, and a hand-driven peer of it. */
export interface RawPair {
  readonly side: SessionSide;
  readonly peer: RawPeer;
}

/** What a raw pair is made of. */
export interface RawPairOptions {
  readonly limits?: Partial<MuxLimits>;
  readonly budget?: GrowthBudget;
  readonly maxStreams?: number;
}

/** A session of `role` whose peer has not said anything yet. */
export function silentPair(role: "server" | "client", options: RawPairOptions = {}): RawPair {
  const [own, other] = transportPair();
  const side = new SessionSide({ role, transport: own, ...options });
  return { side, peer: new RawPeer(other) };
}

/** A session of `role` whose peer has greeted. */
export async function rawPair(role: "server" | "client", options: RawPairOptions = {}): Promise<RawPair> {
  const pair = silentPair(role, options);
  pair.peer.send(hello(options.maxStreams));
  await until(() => pair.side.owner.ready === 1, { what: "the session is ready" });
  return pair;
}

/** A CONTROL frame. */
export function control(message: unknown): Buffer {
  return encodeFrame(frameTypes.control, 0, 0, Buffer.from(JSON.stringify(message)));
}

/** A hello. */
export function hello(maxStreams = 1024, features: readonly string[] = []): Buffer {
  return control({
    type: "hello",
    protocol: "caisson.v1",
    version: "0.0.0",
    instance: "raw",
    features,
    limits: { maxStreams },
  });
}

/** A frame on a stream. */
export function frame(
  type: FrameType,
  stream: number,
  payload: Uint8Array | string = "",
  end: "" | "end" = "",
): Buffer {
  return encodeFrame(frameTypes[type], end === "end" ? 1 : 0, stream, Buffer.from(payload));
}

/** A big-endian u32. */
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The u32 that a payload begins with. */
export function numberOf(seen: SeenFrame): number {
  return readU32(seen.payload, 0);
}

/** An OPEN frame. */
export function open(stream: number, request: OpenRequest, end: "" | "end" = ""): Buffer {
  const tail = openTail(request);
  const payload = Buffer.alloc(openPrefixBytes(request) + tail.length);
  tail.copy(payload, putOpenPrefix(payload, 0, request));
  return frame("open", stream, payload, end);
}
