// One authenticated connection between a client and the server: greeting, streams, liveness, farewell.
// It promises that every stream is told of its end before onClosed, that onClosed comes exactly once, after the transport
// is gone, and that afterwards nothing refers to it any more.

import type { Deadline } from "../lifecycle/deadlines.ts";
import { CaissonError } from "../lifecycle/errors.ts";
import type { SessionView } from "../lifecycle/events.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import type { GoAwayReason } from "../wire/codes.ts";
import { goAwayCodes } from "../wire/codes.ts";
import { encodeControl } from "../wire/control-codec.ts";
import type { ControlMessage, Hello } from "../wire/control.ts";
import { protocolName } from "../wire/limits.ts";
import type { OpenRequest } from "../wire/open.ts";
import type { ViolationReason } from "../wire/violation.ts";
import { closeCodeOf, violationReasonOf } from "../wire/violation.ts";
import { GrowthBudget } from "./growth-budget.ts";
import { Farewell } from "./farewell.ts";
import type { SessionCloseReason, SessionHandler, StreamHandler } from "./handlers.ts";
import { Inbound } from "./inbound.ts";
import { Keepalive } from "./keepalive.ts";
import type { MuxLimits } from "./limits.ts";
import { muxLimits } from "./limits.ts";
import { Outbox } from "./outbox.ts";
import { ReceiveWindows } from "./receive-windows.ts";
import type { Stream } from "./stream.ts";
import type { SessionOptions, SessionState } from "./session-options.ts";
import { StreamTable } from "./stream-table.ts";
import type { Transport } from "./transport.ts";
import { Turn } from "./turn.ts";

/** One session, of either role. */
export class Session implements SessionView {
  readonly kind = "session";
  readonly openedAtMs: number = performance.now();
  readonly role: "server" | "client";
  readonly peer: string;

  /** @internal */
  readonly _runtime: Runtime;
  /** @internal */
  readonly _limits: MuxLimits;
  /** @internal */
  readonly _handler: SessionHandler;
  /** @internal */
  readonly _outbox: Outbox;
  /** @internal */
  readonly _table: StreamTable;
  /** @internal */
  readonly _windows: ReceiveWindows;
  /** @internal */
  readonly _budget: GrowthBudget;
  /** @internal */
  readonly _turn: Turn = new Turn();
  readonly #transport: Transport;
  readonly #keepalive: Keepalive;
  readonly #forgetGaps: () => void;
  #helloDeadline: Deadline | undefined;
  #farewell: Farewell | undefined;
  #state: SessionState = "greeting";
  #hello: Hello | undefined;
  #drainSaid = false;
  #closeReason: SessionCloseReason | undefined;
  #transportFailed = false;
  #released = false;

  /** Takes over the transport and greets the peer. */
  constructor(options: SessionOptions) {
    const { runtime, hello } = options;
    this.role = options.role;
    this.peer = options.peer;
    this._runtime = runtime;
    const limits = muxLimits(options.limits);
    this._limits = limits.maxStreams === hello.maxStreams ? limits : { ...limits, maxStreams: hello.maxStreams };
    this._handler = options.handler;
    this._budget = options.budget ?? new GrowthBudget(this._limits.roleGrowthBytes);
    this.#transport = options.transport;
    runtime.events.opened(this);
    this._outbox = new Outbox(this, options.transport, { limits: this._limits, memory: runtime.memory });
    this._table = new StreamTable(this);
    this._windows = new ReceiveWindows(this, this._limits, this._budget);
    this.#keepalive = new Keepalive(this, runtime, this._limits);
    this.#forgetGaps = runtime.deadlines.onGap((gapMs) => {
      this.#keepalive.onGap(gapMs);
      this._table.onGap(gapMs);
    });
    this.#helloDeadline = runtime.deadlines.create(() => this.terminate("handshake_timeout"));
    this.#helloDeadline.arm(this._limits.helloMs);
    options.transport.receiver = new Inbound(this);
    this.sendControl({
      type: "hello",
      protocol: protocolName,
      version: hello.version,
      instance: hello.instance,
      features: hello.features ?? [],
      limits: { maxStreams: hello.maxStreams },
    });
    this.#keepalive.ping();
  }

  get state(): SessionState {
    return this.#state;
  }

  /** The peer's hello, once it came. */
  get hello(): Hello | undefined {
    return this.#hello;
  }

  get rttMs(): number {
    return this.#keepalive.rttMs;
  }

  /** When the last byte came, on the clock of `performance.now()`. */
  get lastHeardMs(): number {
    return this.#keepalive.lastHeardMs;
  }

  /** Bytes that wait to be sent, here and in the transport. */
  get bufferedBytes(): number {
    return this.#transport.unsentBytes + this._outbox.queuedBytes;
  }

  /** @internal This side has said GOAWAY. */
  get _takesNoStreams(): boolean {
    return this.#drainSaid;
  }

  /** Streams that are open, or whose OPEN waits, or whose other side is not known to be gone. */
  get streamCount(): number {
    return this._table.size;
  }

  /** Server only: a stream may be opened now. */
  get hasRoom(): boolean {
    return (
      this.#state === "ready" &&
      this.role === "server" &&
      this.#hello !== undefined &&
      this._table.size < Math.min(this._limits.maxStreams, this.#hello.limits.maxStreams) &&
      this._table.hasId &&
      !this._budget.exhausted
    );
  }

  /**
   * Opens a stream (server only). `request.head` belongs to the stream from now on and is not copied. An exchange without
   * a body sends END with its OPEN, unless it asks for an upgrade: then the owner ends it. Throws E_CLOSED without room.
   */
  open(request: OpenRequest, handler: StreamHandler): Stream {
    if (!this.hasRoom) throw new CaissonError("E_CLOSED", "the session has no room for a stream");
    return this._table.open(request, handler);
  }

  /** Sends a CONTROL message; ignored once the session is closed. Throws a RangeError for one above 16 KiB. */
  sendControl(message: ControlMessage): void {
    if (this.#state === "closed") return;
    this._outbox.control.control(encodeControl(message));
    this._outbox.schedule();
  }

  /** Sends at once what waits for the end of this turn: for the moment before this process stands still. */
  flush(): void {
    if (this.#state !== "closed") this._outbox.flush();
  }

  /** Says GOAWAY and takes no new streams; closes when the last stream has ended. Later calls do nothing. */
  drain(reason: GoAwayReason): void {
    if (this.#state === "closed" || this.#drainSaid) return;
    this.#drainSaid = true;
    this.#state = "draining";
    this.#sayGoAway(reason);
    this._outbox.schedule();
    this.#closeIfDrained();
  }

  /** Says GOAWAY, ends every stream and closes the transport, with a time limit. Idempotent. */
  close(reason: GoAwayReason): void {
    if (this.#state === "closed") return;
    this.#end(reason);
    this.#sayGoAway(reason);
    this.#closeTransport(1000, reason);
  }

  /** Ends everything at once, without a word to the peer. */
  terminate(reason: SessionCloseReason): void {
    if (this.#released) return;
    this.#end(reason);
    this._outbox.control.clear();
    this._outbox.close();
    this.#transport.terminate();
  }

  /** Sends a PING; if not one byte comes within 3 s, the session is dead. */
  probe(): void {
    if (this.#state !== "closed") this.#keepalive.probe();
  }

  /** Sends a PING, to measure. */
  ping(): void {
    if (this.#state !== "closed") this.#keepalive.ping();
  }

  /** @internal */
  _takeId(stream: Stream): number {
    return this._table.takeId(stream);
  }

  /** @internal */
  _flushed(stream: Stream): void {
    this._table.flushed(stream);
    if (this.role === "server" && !this._table.hasId) this.drain("ids_exhausted");
  }

  /** @internal */
  _blocked(): void {
    this._runtime.events.paused("session");
  }

  /** @internal A farewell would only join what is not read. */
  _notReading(): void {
    this._violate("not_reading");
    this.#transport.terminate();
  }

  /** @internal */
  _ping(sequence: number): void {
    this._outbox.control.ping(0, sequence);
    this._outbox.schedule();
  }

  /** @internal False if it answers nothing. */
  _pong(high: number, low: number): boolean {
    return high === 0 && this.#keepalive.pong(low);
  }

  /** @internal */
  _answeredPingSince(sinceMs: number): boolean {
    return this.#keepalive.answeredSentMs > sinceMs;
  }

  /** @internal */
  _dead(): void {
    this.terminate("dead");
  }

  /** @internal */
  _measured(rttMs: number): void {
    this._runtime.events.heartbeat(this, rttMs);
  }

  /** @internal */
  _credit(stream: Stream, bytes: number): void {
    this._outbox.control.credit(stream._id, bytes);
    this._outbox.schedule();
  }

  /** @internal */
  _freshenRoundTrip(nowMs: number): void {
    this.#keepalive.freshen(nowMs);
  }

  /** @internal */
  _heard(nowMs: number): void {
    this.#keepalive.heard(nowMs);
  }

  /** @internal */
  _greeted(hello: Hello): void {
    this.#hello = hello;
    if (this.#state === "greeting") this.#state = "ready";
    this.#helloDeadline?.dispose("greeted");
    this.#helloDeadline = undefined;
    this.#guard(() => this._handler.onReady(this, hello));
  }

  /** @internal */
  _received(message: ControlMessage): void {
    if (message.type === "notice") this.#keepalive.announced(message.pauseMs);
    this.#guard(() => this._handler.onControl(this, message));
  }

  /** @internal */
  _peerGoesAway(reason: GoAwayReason): void {
    this.#state = "draining";
    this.#guard(() => this._handler.onGoAway(this, reason));
  }

  /** @internal A stream is gone. */
  _streamLeft(): void {
    if (this.#state === "closed") return;
    if (this.#state === "draining") this.#closeIfDrained();
    else if (this.role === "server") {
      try {
        this._handler.onRoom(this);
      } catch (error) {
        this._runtime.events.faulted("session_handler", error);
      }
    }
  }

  /** @internal Dealing with a message threw: the peer broke the protocol, or there is a bug, and its state is worth nothing. */
  _broken(error: unknown): void {
    const reason = violationReasonOf(error);
    if (reason) this._violate(reason);
    else {
      this._runtime.events.faulted("session", error);
      this.terminate("transport_error");
    }
  }

  /** @internal The transport complains of the peer, or of the network; then it will close. */
  _transportError(error: unknown): void {
    const reason = violationReasonOf(error);
    if (reason) this._violate(reason);
    else this.#transportFailed = true;
  }

  /** @internal */
  _violate(reason: ViolationReason): void {
    if (this.#state === "closed") return;
    this._runtime.events.violated(this, reason);
    this.#end("violation");
    this.#sayGoAway("violation");
    this.#closeTransport(closeCodeOf(reason), reason);
  }

  /** @internal Last word of the transport. */
  _transportClosed(): void {
    if (this.#released) return;
    this.#released = true;
    this.#transport.receiver = undefined;
    this.#end(this.#transportFailed ? "transport_error" : "transport_closed");
    this._outbox.control.clear();
    this._outbox.close();
    this.#farewell?.dispose();
    const reason = this.#closeReason ?? "transport_closed";
    this._runtime.events.closed(this, reason);
    this.#guard(() => this._handler.onClosed(this, reason));
  }

  #sayGoAway(reason: GoAwayReason): void {
    this._outbox.control.goAway(this._table.lastId, goAwayCodes[reason]);
  }

  #closeIfDrained(): void {
    if (!this.#drainSaid || this._table.size > 0 || this.#state === "closed") return;
    this.#end("drained");
    this.#closeTransport(1000, "drained");
  }

  /** From now on no frame is heard, and no stream lives. */
  #end(reason: SessionCloseReason): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#closeReason = reason;
    this._table.loseAll();
    this._table.dispose("closed");
    this.#keepalive.dispose("closed");
    this.#helloDeadline?.dispose("closed");
    this.#forgetGaps();
  }

  #closeTransport(code: number, text: string): void {
    this._outbox.close();
    const { _runtime: runtime, _limits: limits } = this;
    const lastHeardMs = (): number => this.lastHeardMs;
    this.#farewell = new Farewell({ transport: this.#transport, runtime, limits, lastHeardMs });
    this.#farewell.begin(code, text);
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this._runtime.events.faulted("session_handler", error);
    }
  }
}
