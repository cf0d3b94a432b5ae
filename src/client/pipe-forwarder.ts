// A visitor of a TCP tunnel: connects to the target, then leaves stream and socket to a pipe.
// What the visitor sends before the target has answered is kept, at most one window of it.

import type { PipeFailure, TraceContext } from "../lifecycle/events.ts";
import type { StreamHandler } from "../mux/handlers.ts";
import type { Stream } from "../mux/stream.ts";
import type { ResetReason } from "../wire/codes.ts";
import type { OpenPipe } from "../wire/open.ts";
import type { ClientTunnel } from "./client-tunnel.ts";
import type { ConnectionUser, LocalConnection } from "./local-connection.ts";
import { connectFailure, outcomeOfCut, outcomeOfReset } from "./target-failure.ts";

/** Makes one pipe. */
export class PipeForwarder implements StreamHandler, ConnectionUser {
  readonly #openedAtMs: number = performance.now();
  readonly #tunnel: ClientTunnel;
  /** What the server says of its trace. */
  readonly #traceparent: string | undefined;
  #stream: Stream | undefined;
  #connection: LocalConnection | undefined;
  #early: Buffer[] = [];
  #earlyEnd = false;

  constructor(stream: Stream, open: OpenPipe, tunnel: ClientTunnel) {
    this.#stream = stream;
    this.#tunnel = tunnel;
    this.#traceparent = open.traceparent;
  }

  /** Connects. Called once. */
  start(): void {
    this.#tunnel.requests += 1;
    this.#connection = this.#tunnel.pool.connect(this);
    this.#earlyEnd = this.#stream?.receivedEnd ?? false;
  }

  onHead(): void {
    this.#cut("internal");
  }

  onData(chunk: Buffer, end: boolean): void {
    // The credit is owed until the pipe has written it, so no more than a window can wait here.
    if (chunk.length > 0) this.#early.push(Buffer.from(chunk));
    this.#earlyEnd = end;
  }

  onTrailers(): void {
    this.#cut("internal");
  }

  onReset(reason: ResetReason | "session_lost"): void {
    if (this.#stream) this.#tell(this.#stream, { outcome: outcomeOfReset(reason), reason });
    this.#stream = undefined;
    this.#connection?.close("cancelled");
    this.#release();
  }

  onWritable(): void {}

  onOpened(): void {}

  onConnected(): void {
    const connection = this.#connection;
    const stream = this.#stream;
    if (!connection || !stream) return;
    const early = this.#early;
    const end = this.#earlyEnd;
    this.#release();
    const trace = this.#tell(stream, undefined);
    const pipe = connection.becomePipe(stream, { tunnel: this.#tunnel, trace });
    for (const [at, chunk] of early.entries()) pipe.onData(chunk, end && at === early.length - 1);
    if (end && early.length === 0) pipe.onData(Buffer.alloc(0), true);
  }

  onBytes(): void {
    // A socket that is not connected has no bytes, and one that is belongs to the pipe.
  }

  onEnded(): void {}

  onLost(error: unknown): void {
    this.#cut(connectFailure(error));
  }

  onDeadline(): void {}

  #tell({ session }: Stream, failure: PipeFailure | undefined): TraceContext | undefined {
    const { name: tunnelName, pool, context } = this.#tunnel;
    const opening = { role: "client", openedAtMs: this.#openedAtMs, tunnelName, visitorAddress: "" } as const;
    const traceparent = this.#traceparent;
    return context.runtime.events.pipeOpening({ ...opening, upstream: pool.target, session, traceparent, failure });
  }

  #cut(reason: ResetReason): void {
    const stream = this.#stream;
    const connection = this.#connection;
    this.#release();
    if (stream) this.#tell(stream, { outcome: outcomeOfCut(reason), reason });
    stream?.reset(reason);
    connection?.close(reason);
  }

  #release(): void {
    this.#stream = undefined;
    this.#connection = undefined;
    this.#early = [];
  }
}
