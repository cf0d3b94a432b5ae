// A client that speaks the wire by hand over a real WebSocket: it logs in like any other and then says what a test wants.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { WebSocket } from "ws";
import { dialWebSocket } from "../../src/mux/ws-transport.ts";
import { decodeFrames } from "../../src/wire/decode.ts";
import type { FrameType } from "../../src/wire/frame.ts";
import { frameTypes } from "../../src/wire/frame.ts";
import { decodeOpen } from "../../src/wire/open-codec.ts";
import type { OpenExchange } from "../../src/wire/open.ts";
import type { SeenFrame } from "../support/raw-peer.ts";
import { control, hello } from "../support/raw-peer.ts";
import { until } from "../support/until.ts";

const typeNames: ReadonlyMap<number, FrameType> = new Map(
  Object.entries(frameTypes).map(([name, type]) => [type, name as FrameType]),
);

/** A stream that the server opened. */
export interface OpenedStream {
  readonly id: number;
  readonly request: OpenExchange;
}

/** A control message of the server, as far as tests look at it. */
export interface SeenControl {
  readonly type: string;
  readonly id?: number;
  readonly code?: string;
  readonly name?: string;
  readonly url?: string;
  readonly message?: string;
  readonly resumeKey?: string;
  readonly reason?: string;
}

/** One hand-driven session. */
export class WireClient {
  readonly frames: SeenFrame[] = [];
  /** How the server closed the WebSocket; undefined while it is open. */
  closed: { readonly code: number; readonly reason: string } | undefined;
  readonly #socket: WebSocket;
  #taken = 0;

  private constructor(port: number, token: string | undefined) {
    this.#socket = dialWebSocket(`ws://127.0.0.1:${port}/_caisson/connect`, {
      mask: "zero",
      handshakeTimeoutMs: 5_000,
      ...(token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }),
    });
    this.#socket.on("error", () => undefined);
    this.#socket.on("message", (data: Buffer) => this.#onMessage(data));
    this.#socket.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
  }

  /** Logs in and says hello; with a name, it also registers a tunnel. */
  static async connect(
    port: number,
    options: {
      readonly name?: string;
      readonly silent?: boolean;
      readonly token?: string;
      readonly features?: readonly string[];
    } = {},
  ): Promise<WireClient> {
    const client = new WireClient(port, options.token);
    await once(client.#socket, "open");
    if (options.silent === true) return client;
    client.send(hello(1024, options.features));
    if (options.name === undefined) return client;
    client.send(control({ type: "register", id: 1, kind: "http", name: options.name }));
    await until(() => client.controls("registered").length === 1, {
      what: "the tunnel stands",
      detail: () => client.frames,
    });
    return client;
  }

  /** Sends one message of the given frames. */
  send(...frames: readonly Buffer[]): void {
    this.#socket.send(Buffer.concat(frames), { binary: true });
  }

  /** Frames of one type, in order. */
  seen(type: FrameType): SeenFrame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  /** Control messages of one type, in order. */
  controls(type: string): SeenControl[] {
    return this.seen("control")
      .map(({ payload }) => JSON.parse(payload.toString()) as SeenControl)
      .filter((message) => message.type === type);
  }

  /** Claims a tunnel; answers with what the server says to it: `registered`, or the code of a refusal. */
  async register(
    id: number,
    claim: { readonly name?: string; readonly resumeKey?: string; readonly kind?: "tcp"; readonly port?: number },
  ): Promise<SeenControl> {
    this.send(control({ type: "register", id, kind: "http", ...claim }));
    const answer = (): SeenControl | undefined =>
      [...this.controls("registered"), ...this.controls("refused")].findLast((message) => message.id === id);
    await until(() => answer() !== undefined, { what: "the claim is answered", detail: () => this.closed });
    return answer() ?? assert.fail();
  }

  /** The next stream that the server opens. */
  async opened(): Promise<OpenedStream> {
    const index = this.#taken;
    this.#taken += 1;
    await until(() => this.seen("open").length > index, { what: "a stream is opened", detail: () => this.closed });
    const frame = this.seen("open")[index] ?? assert.fail();
    const request = decodeOpen(frame.payload, 0, frame.payload.length);
    return { id: frame.stream, request: request.kind === "exchange" ? request : assert.fail("a pipe") };
  }

  /** Waits until the server has closed the session. */
  async gone(): Promise<void> {
    await until(() => this.closed !== undefined, { what: "the session is closed" });
  }

  /** Cuts the connection. */
  [Symbol.dispose](): void {
    this.#socket.terminate();
  }

  #onMessage(message: Buffer): void {
    decodeFrames(message, {
      onFrame: (number, flags, stream, bytes, start, end) => {
        const type = typeNames.get(number) ?? assert.fail(`frame type ${number}`);
        this.frames.push({ type, end: flags === 1, stream, payload: Buffer.from(bytes.subarray(start, end)) });
      },
    });
  }
}
