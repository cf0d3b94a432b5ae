// Raw bytes both ways between a socket and a stream: an upgraded WebSocket, or a TCP connection.
// Each direction ends by itself, each pauses its source when the other side is full, and a cut on one side is a cut on the other.

import type { Socket } from "node:net";
import type { Deadline } from "../lifecycle/deadlines.ts";
import type { PipeView, TraceContext } from "../lifecycle/events.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import type { ResetReason } from "../wire/codes.ts";
import { cutSocket } from "./cut-socket.ts";
import type { StreamHandler } from "./handlers.ts";
import { noHandler } from "./no-handler.ts";
import { emptyBuffer } from "./outgoing.ts";
import type { Session } from "./session.ts";
import { leaveBytes, takeBytes } from "./socket-intake.ts";
import { SocketOutlet } from "./socket-outlet.ts";
import type { Stream } from "./stream.ts";

/** The default of {@link PipeOptions.idleMs}: one hour. */
export const defaultPipeIdleMs = 3_600_000;

/** Why a pipe closed. */
export type PipeCloseReason = ResetReason | "session_lost" | "ended" | "socket_closed" | "shutdown";

/** What a pipe joins. */
export interface PipeOptions {
  /** Made with `allowHalfOpen`, and without listeners for data and end of its own. Destroyed by the pipe when it closes. */
  readonly socket: Socket;
  /** Its handler becomes the pipe. */
  readonly stream: Stream;
  readonly runtime: Runtime;
  /** Cut after so many milliseconds without a byte either way. Default one hour. */
  readonly idleMs?: number;
  /** Bytes that were read from the socket already. */
  readonly initial?: Buffer;
  /** The socket's writer, if it has one already: what it still holds goes first. */
  readonly outlet?: SocketOutlet;
  /** How to cut the socket so that its peer sees a reset; for TLS, where destroying looks like a clean end. */
  readonly cut?: () => void;
  /** The trace of the exchange that was upgraded, or of the opening. */
  readonly trace?: TraceContext | undefined;
  /** Last call. */
  readonly onClosed: (pipe: Pipe, reason: PipeCloseReason) => void;
}

/** One splice. */
export class Pipe implements PipeView, StreamHandler {
  readonly kind = "pipe";
  readonly openedAtMs: number = performance.now();
  readonly trace: TraceContext | undefined;
  readonly #socket: Socket;
  readonly #stream: Stream;
  readonly #runtime: Runtime;
  readonly #outlet: SocketOutlet;
  readonly #idle: Deadline;
  readonly #idleMs: number;
  readonly #cut: (() => void) | undefined;
  readonly #onClosed: (pipe: Pipe, reason: PipeCloseReason) => void;
  readonly #fromVisitor: boolean;
  #paused = false;
  #closed = false;
  #bytesIn = 0;
  #bytesOut = 0;
  readonly #onData = (chunk: Buffer): void => this.#fromSocket(chunk);
  readonly #onEnd = (): void => this.#socketEnded();
  readonly #onFinish = (): void => this.#settle();
  readonly #onError = (): void => this.#lost();
  readonly #onClose = (): void => this.#socketClosed();

  constructor(options: PipeOptions) {
    this.#socket = options.socket;
    this.#stream = options.stream;
    this.#runtime = options.runtime;
    this.#cut = options.cut;
    this.#onClosed = options.onClosed;
    // An unrecorded trace is of no use to anybody once the exchange is over, and refers to it.
    this.trace = options.trace?.sampled === true ? options.trace : undefined;
    this.#fromVisitor = options.stream.session.role === "server";
    this.#idleMs = options.idleMs ?? defaultPipeIdleMs;
    this.#runtime.events.opened(this);
    this.#idle = this.#runtime.deadlines.create(() => this.#close("idle"));
    this.#idle.arm(this.#idleMs);
    this.#outlet = options.outlet ?? new SocketOutlet(options.socket, options.runtime.memory);
    this.#outlet.attach(options.stream);
    options.stream.handler = this;
    const socket = this.#socket;
    takeBytes(socket, this.#runtime.memory, this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("finish", this.#onFinish);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
    if (options.initial && options.initial.length > 0) this.#fromSocket(options.initial);
    if (socket.destroyed) this.#socketClosed();
    else if (socket.readableEnded) this.#socketEnded();
    else if (!this.#paused) socket.resume();
  }

  get role(): "server" | "client" {
    return this.#stream.session.role;
  }

  get session(): Session {
    return this.#stream.session;
  }

  /** Bytes from the visitor, so far. */
  get bytesIn(): number {
    return this.#bytesIn;
  }

  /** Bytes to the visitor, so far. */
  get bytesOut(): number {
    return this.#bytesOut;
  }

  /** Cuts both sides. Idempotent. */
  close(reason: ResetReason | "shutdown"): void {
    this.#close(reason);
  }

  onHead(): void {
    // A response head was dealt with before the pipe began; another one means nothing in raw bytes.
    this.#close("internal");
  }

  onData(chunk: Buffer, end: boolean): void {
    if (this.#closed) return;
    this.#count(chunk.length, !this.#fromVisitor);
    if (chunk.length > 0) this.#outlet.write(chunk, chunk.length);
    if (end) this.#outlet.end();
  }

  onTrailers(): void {
    this.#close("internal");
  }

  onReset(reason: ResetReason | "session_lost"): void {
    this.#finish(reason);
  }

  onWritable(): void {
    if (!this.#paused || this.#closed) return;
    this.#paused = false;
    this.#socket.resume();
  }

  onOpened(): void {
    // The bytes flow whether OPEN has left or waits with them.
  }

  #fromSocket(chunk: Buffer): void {
    if (this.#closed) return;
    this.#count(chunk.length, this.#fromVisitor);
    if (this.#stream.sendData(chunk, "more") || this.#paused || this.#closed) return;
    this.#paused = true;
    this.#socket.pause();
    this.#runtime.events.paused(this.#fromVisitor ? "visitor" : "target");
  }

  #count(bytes: number, fromVisitor: boolean): void {
    this.#idle.arm(this.#idleMs);
    if (fromVisitor) this.#bytesIn += bytes;
    else this.#bytesOut += bytes;
    this.#runtime.events.bytes(fromVisitor ? "in" : "out", bytes);
  }

  #socketEnded(): void {
    if (this.#closed) return;
    if (!this.#stream.sentEnd) this.#stream.sendData(emptyBuffer, "end");
    this.#settle();
  }

  /** Both directions may be over: the socket has said and taken everything. */
  #settle(): void {
    if (this.#socket.readableEnded && this.#socket.writableFinished && this.#stream.receivedEnd) this.#finish("ended");
  }

  #lost(): void {
    this.#close(this.#cutBy());
  }

  /** Whose doing it is that the socket broke. A target that has said everything owes nothing: its visitor went on too long. */
  #cutBy(): "cancelled" | "target_cut" {
    return this.#fromVisitor || this.#stream.sentEnd ? "cancelled" : "target_cut";
  }

  #socketClosed(): void {
    if (this.#closed) return;
    if (this.#stream.sentEnd && this.#stream.receivedEnd && this.#socket.writableFinished) this.#finish("ended");
    else {
      const reason = this.#cutBy();
      this.#stream.reset(reason);
      this.#finish(reason === "cancelled" ? "socket_closed" : reason);
    }
  }

  #close(reason: ResetReason | "shutdown"): void {
    if (this.#closed) return;
    this.#stream.reset(reason === "shutdown" ? "cancelled" : reason);
    this.#finish(reason);
  }

  /** Lets go of both, once. Everything but `ended` cuts the socket. */
  #finish(reason: PipeCloseReason): void {
    if (this.#closed) return;
    this.#closed = true;
    const socket = this.#socket;
    leaveBytes(socket, this.#onData);
    socket.off("end", this.#onEnd);
    socket.off("finish", this.#onFinish);
    socket.off("close", this.#onClose);
    // The listener for errors stays: a reset socket may still complain, and nobody else listens.
    this.#idle.dispose("closed");
    this.#outlet.detach();
    if (reason === "ended") {
      socket.destroy();
      // Its last frame may still wait to be sent; that concerns only the mux.
      this.#stream.handler = noHandler;
    } else this.#cutSocket();
    this.#runtime.events.closed(this, reason);
    this.#onClosed(this, reason);
  }

  #cutSocket(): void {
    if (this.#cut) this.#cut();
    else cutSocket(this.#socket);
  }
}
