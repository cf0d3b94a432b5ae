// One exchange beside the target: the request from the stream into a connection, the response back into the stream.
// It moves bytes and knows the rules of when to stop; parsing is the connection's, pooling the pool's. It promises that
// a cut transfer never looks complete to either side, and it makes no closure, timer, listener or promise.

import { performance } from "node:perf_hooks";
import { chunkPrefix, chunkSuffix, lastChunk, lastChunkWithTrailers } from "../http1/chunked.ts";
import { messageOf, unreachable } from "../lifecycle/errors.ts";
import type { ExchangeOutcome, SessionView, UpstreamView } from "../lifecycle/events.ts";
import type { StreamHandler } from "../mux/handlers.ts";
import { noHandler } from "../mux/no-handler.ts";
import type { Stream } from "../mux/stream.ts";
import type { ResetReason } from "../wire/codes.ts";
import { tracedFeature } from "../wire/control.ts";
import type { OpenExchange } from "../wire/open.ts";
import type { ClientTunnel } from "./client-tunnel.ts";
import { ExchangeRecord } from "./exchange-record.ts";
import type { ConnectionUser, LocalConnection } from "./local-connection.ts";
import { RequestDiscard } from "./request-discard.ts";
import { headForTarget } from "./request-head.ts";
import type { ResponseSink } from "./response-reader.ts";
import { ResponseProgress } from "./response-reader.ts";
import { connectFailure, outcomeOfCut, outcomeOfReset } from "./target-failure.ts";

/** Carries one exchange. */
export class ExchangeForwarder extends ExchangeRecord implements StreamHandler, ConnectionUser, ResponseSink {
  readonly #tunnel: ClientTunnel;
  /** Undefined once the exchange is over. */
  #stream: Stream | undefined;
  #connection: LocalConnection | undefined;
  /** The whole request was given to the connection. */
  #requestComplete: boolean;
  /** The visitor has sent something behind its head, or was told to. */
  #bodyBegun = false;
  #repeated = false;
  /** The target is paused, because the stream is full. */
  #paused = false;
  /** What the outlet still held when the response deadline was armed. */
  #undelivered = 0;
  /** When the target's bytes came that are being read; 0 until somebody asks. */
  #heardAtMs = 0;

  constructor(stream: Stream, open: OpenExchange, tunnel: ClientTunnel) {
    super(open, { tunnelName: tunnel.name, openedAtMs: stream.openedAtMs });
    this.#stream = stream;
    this.#tunnel = tunnel;
    this.#requestComplete = open.body === "none";
  }

  get trusted(): boolean {
    return this.#stream?.session.hello?.features.includes(tracedFeature) === true;
  }

  get upstream(): UpstreamView {
    return this.#tunnel.pool.target;
  }

  get session(): SessionView | undefined {
    return this.#stream?.session;
  }

  /** Sends the head on its way. Called once, after the stream knows its handler. */
  start(): void {
    const { events, exchanges } = this.#tunnel.context.runtime;
    this.#tunnel.requests += 1;
    exchanges.opened(this);
    this.trace = events.exchangeStarted(this);
    try {
      this.#begin(this.#acquire());
    } catch (error) {
      this.#cut("internal", messageOf(error));
      throw error;
    }
    // A body that turned out to be empty may have ended with the head.
    if (this.#stream?.receivedEnd) this.#endRequest(this.open.body === "chunked" ? lastChunk : undefined);
  }

  // What the stream calls.

  onHead(): void {
    this.#cut("internal", "the server sent a head inside of a request");
  }

  onData(chunk: Buffer, end: boolean): void {
    const connection = this.#connection;
    if (!connection) return;
    if (chunk.length > 0) {
      if (this.#requestComplete) {
        this.#cut("internal", "the server sent bytes behind the request");
        return;
      }
      this.#bodyBegun = true;
      this.bytesIn += chunk.length;
      this.#tunnel.context.runtime.events.bytes("in", chunk.length);
      if (this.open.body === "chunked") {
        connection.outlet.write(chunkPrefix(chunk.length), 0);
        connection.outlet.write(chunk, chunk.length);
        connection.outlet.write(chunkSuffix, 0);
      } else connection.outlet.write(chunk, chunk.length);
    }
    if (end) this.#endRequest(this.open.body === "chunked" ? lastChunk : undefined);
    else this.#watch();
  }

  onTrailers(trailers: Buffer): void {
    this.#endRequest(this.open.body === "chunked" ? lastChunkWithTrailers(trailers) : undefined);
  }

  onReset(reason: ResetReason | "session_lost"): void {
    if (!this.#stream) return;
    this.#stream = undefined;
    this.#end(outcomeOfReset(reason), reason);
  }

  onWritable(): void {
    const connection = this.#connection;
    if (!connection || !this.#paused) return;
    this.#paused = false;
    connection.socket.resume();
    this.#watch();
  }

  onOpened(): void {}

  // What the connection calls.

  onConnected(): void {
    this.#watch();
  }

  onBytes(chunk: Buffer): void {
    const connection = this.#connection;
    if (!connection) return;
    const { responses } = connection;
    this.#heardAtMs = 0;
    const progress = responses.read(chunk);
    // A sink's call may have ended everything.
    if (this.#connection !== connection) return;
    switch (progress) {
      case ResponseProgress.More:
        if (responses.headComplete) this.#watch();
        return;
      case ResponseProgress.Complete:
        this.#complete(connection, responses.next === chunk.length);
        return;
      case ResponseProgress.Rejected:
        this.#cut(this.status === 0 ? "bad_target_response" : "target_cut", `invalid response: ${responses.rejection}`);
        return;
      case ResponseProgress.Switched:
        this.#becomePipe(connection, chunk.subarray(responses.next));
        return;
      default:
        unreachable(progress);
    }
  }

  onEnded(): void {
    const connection = this.#connection;
    if (!connection) return;
    this.#heardAtMs = 0;
    if (connection.responses.finish()) this.#complete(connection, false);
    else {
      connection.close("target_closed");
      this.onLost(undefined);
    }
  }

  onLost(error: unknown): void {
    const connection = this.#connection;
    if (!connection) return;
    if (!connection.connected) {
      this.#cut(connectFailure(error), messageOf(error));
    } else if (connection.reused && !connection.responses.begun && this.#mayRepeat()) {
      // The target closed the idle connection while the request was on its way: it has not seen it.
      this.#repeated = true;
      this.#begin(this.#tunnel.pool.connect(this));
    } else {
      const how = error === undefined ? "the target closed the connection" : messageOf(error);
      this.#cut(this.status === 0 ? "bad_target_response" : "target_cut", how);
    }
  }

  onDeadline(): void {
    const connection = this.#connection;
    if (!connection) return;
    const undelivered = connection.outlet.pendingBytes;
    if (this.status !== 0) {
      this.#cut("idle", "nothing moved for too long");
    } else if (!this.#requestComplete && undelivered === 0 && (this.#bodyBegun || !this.open.expectContinue)) {
      this.#cut("idle", "the visitor's request body stalled");
    } else if (this.#requestComplete && undelivered > 0 && undelivered < this.#undelivered) {
      // The target is still reading: its time to answer has not begun.
      this.#watch();
    } else this.#cut("target_timeout", "no response in time");
  }

  // What the response reader calls.

  onResponseHead(head: Buffer, status: number, end: boolean): void {
    this.#bodyBegun = true;
    if (status >= 200 || status === 101) {
      this.status = status;
      this.firstByteAtMs = this.#readAtMs();
    }
    this.#stream?.sendHead(this.#publicHead(head), end ? "end" : "more");
  }

  onResponseData(view: Buffer, end: boolean): void {
    const stream = this.#stream;
    if (!stream) return;
    if (view.length > 0) {
      this.bytesOut += view.length;
      this.#tunnel.context.runtime.events.bytes("out", view.length);
    }
    if (!stream.sendData(view, end ? "end" : "more") && !end && !this.#paused) {
      this.#paused = true;
      this.#connection?.socket.pause();
      this.#tunnel.context.runtime.events.paused("target");
    }
  }

  onResponseTrailers(section: Buffer): void {
    this.#stream?.sendTrailers(section);
  }

  /** What the target says of itself under its own name, said of the public URL. */
  #publicHead(head: Buffer): Buffer {
    const connection = this.#connection;
    const rewrite = connection && this.#tunnel.rewriteFor(connection.target);
    return rewrite ? rewrite.apply(connection.responses.head, head) : head;
  }

  #acquire(): LocalConnection {
    const { pool } = this.#tunnel;
    // An upgraded connection becomes a pipe, so it is never one that carried other requests.
    if (this.open.upgrade) return pool.connect(this);
    return pool.acquire(this, this.open.idempotent && this.open.body === "none");
  }

  #begin(connection: LocalConnection): void {
    const stream = this.#stream;
    if (!stream) return;
    this.#connection = connection;
    connection.responses.begin(this, this.open);
    connection.outlet.attach(stream);
    connection.outlet.write(headForTarget(this.open, this.#tunnel.pool.target.hostHeader, this.trace), 0);
    this.#watch();
  }

  /** Moves the connection's deadline to what the exchange waits for now. While it connects, that is the pool's business. */
  #watch(): void {
    const connection = this.#connection;
    if (!connection?.connected) return;
    const { limits } = this.#tunnel.context;
    if (this.#paused) {
      // The server watches its visitor; this only bounds what a server may forget.
      connection.deadline.arm(limits.pipeIdleMs);
    } else if (this.status !== 0) connection.deadline.arm(limits.bodyIdleMs);
    else if (!this.#requestComplete) connection.deadline.arm(limits.requestBodyIdleMs);
    else {
      this.#undelivered = connection.outlet.pendingBytes;
      connection.deadline.arm(limits.responseHeadMs);
    }
  }

  #endRequest(last: Buffer | undefined): void {
    if (this.#requestComplete) return;
    this.#requestComplete = true;
    if (last) this.#connection?.outlet.write(last, 0);
    this.#watch();
  }

  #mayRepeat(): boolean {
    return !this.#repeated && this.open.idempotent && this.open.body === "none";
  }

  /** The response is complete and told. `exact` if nothing came behind it. */
  #complete(connection: LocalConnection, exact: boolean): void {
    const stream = this.#stream;
    const { keepAlive, keepAliveTimeoutMs } = connection.responses;
    const reusable = exact && keepAlive && this.#requestComplete && connection.outlet.pendingBytes === 0;
    this.#connection = undefined;
    if (this.#paused) connection.socket.resume();
    connection.outlet.detach();
    if (reusable && !this.open.upgrade) this.#tunnel.pool.release(connection, keepAliveTimeoutMs);
    else connection.close("not_reusable");
    if (stream) this.#letGo(stream);
    this.endedAtMs = this.#readAtMs();
    this.#end("ok", "complete");
  }

  /** The stream lives on until its last bytes have left, without this object. */
  #letGo(stream: Stream): void {
    if (stream.closed) return;
    if (stream.receivedEnd) stream.handler = noHandler;
    else stream.handler = new RequestDiscard(stream, this.#tunnel.context.limits.discardBytes);
  }

  /** The target has switched protocols. The exchange is over, the bytes that follow are a pipe's. */
  #becomePipe(connection: LocalConnection, rest: Buffer): void {
    const stream = this.#stream;
    if (!stream) return;
    this.#connection = undefined;
    connection.becomePipe(stream, { tunnel: this.#tunnel, initial: rest, trace: this.trace });
    this.endedAtMs = this.#readAtMs();
    this.#end("ok", "upgraded");
  }

  /** Gives up: the server is told why, the target's connection is of no use any more. */
  #cut(reason: ResetReason, failure: string): void {
    this.failure = failure;
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.reset(reason);
    this.#end(outcomeOfCut(reason), reason);
  }

  /** The time of the bytes that are being read: one look at the clock does for a head and an end that came together. */
  #readAtMs(): number {
    if (this.#heardAtMs === 0) this.#heardAtMs = performance.now();
    return this.#heardAtMs;
  }

  #end(outcome: ExchangeOutcome, reason: string): void {
    if (this.endedAtMs === 0) this.endedAtMs = performance.now();
    const connection = this.#connection;
    this.#connection = undefined;
    this.#stream = undefined;
    connection?.close(reason);
    this.#tunnel.carried(this);
    const { runtime, observer } = this.#tunnel.context;
    runtime.events.exchangeEnded(this, outcome);
    observer.request(this, outcome, this.failure);
    runtime.exchanges.closed(this, reason);
  }
}
