// One visitor's connection: reads requests from the raw socket, one exchange at a time, and owns the socket until it is
// closed, cut, handed to the server's own pages, or taken over by a pipe. It never parses what it handed over, and never
// reads on while the visitor leaves its answers untaken.
//
//   head ──complete──> body ──complete──> ahead (keeping at most 64 KiB of what follows, so that a FIN is seen)
//    ^                                      │ response done
//    ├──── taken ──── unread <── not taken ─┤ persist
//    └──────────────────────────────────────┴── else ──> linger ──> gone

import type { Socket } from "node:net";
import { RequestHeadReader } from "../http1/head-reader.ts";
import type { RequestHead } from "../http1/head.ts";
import type { RequestRejection } from "../http1/limits.ts";
import { rejections, requestHeadLimits } from "../http1/limits.ts";
import { HeadProgress } from "../http1/progress.ts";
import { unreachable } from "../lifecycle/errors.ts";
import { ignoreError } from "../lifecycle/listener.ts";
import type { Resource } from "../lifecycle/resource.ts";
import { cutSecured } from "../mux/cut-socket.ts";
import { leaveBytes, takeBytes } from "../mux/socket-intake.ts";
import { SocketOutlet } from "../mux/socket-outlet.ts";
import type { Stream } from "../mux/stream.ts";
import type { Edge } from "./edge.ts";
import { Exchange } from "./exchange.ts";
import type { VisitorOrigin } from "./forwarding.ts";
import { ownRequest, visitorOrigin } from "./forwarding.ts";
import type { GatewayAnswer, ServerAnswer } from "./gateway-answers.ts";
import { badRequestAnswer } from "./gateway-answers.ts";
import { ReadAhead } from "./read-ahead.ts";
import { BodyProgress, RequestBody } from "./request-body.ts";
import type { AnswerOptions, Persistence } from "./response-writer.ts";
import { plainForm, ResponseWriter } from "./response-writer.ts";
import { reportRefusal } from "./refusal-report.ts";
import { isConnectRequest, routeOf } from "./routing.ts";
import type { ClockPurpose } from "./visitor-clock.ts";
import { VisitorClock } from "./visitor-clock.ts";
import type { AcceptedConnection, Upgrade, VisitorOwner } from "./visitor-owner.ts";

type Phase = "head" | "body" | "ahead" | "unread" | "linger" | "gone";

/** A visitor's connection. */
export class VisitorConnection implements Resource {
  readonly kind = "visitor_socket";
  readonly openedAtMs: number = performance.now();
  readonly origin: VisitorOrigin;
  readonly outlet: SocketOutlet;
  readonly response: ResponseWriter;
  readonly #edge: Edge;
  readonly #owner: VisitorOwner;
  readonly #socket: Socket;
  readonly #raw: Socket;
  readonly #reader: RequestHeadReader;
  readonly #body: RequestBody;
  readonly #clock: VisitorClock;
  #phase: Phase = "head";
  #exchange: Exchange | undefined;
  readonly #ahead: ReadAhead;
  #reading = false;

  constructor(owner: VisitorOwner, accepted: AcceptedConnection) {
    const { edge } = owner;
    const { socket, raw, address } = accepted;
    this.#edge = edge;
    this.#owner = owner;
    this.#socket = socket;
    this.#raw = raw;
    this.#reader = new RequestHeadReader(requestHeadLimits, edge.requestHead);
    this.origin = visitorOrigin({ ...accepted, trusted: edge.trusted.has(address), viaName: edge.viaName });
    this.#body = new RequestBody({ maxBytes: edge.limits.maxBodyBytes, memory: edge.runtime.memory });
    this.#ahead = new ReadAhead(socket, edge.limits.readAheadBytes);
    this.outlet = new SocketOutlet(socket, edge.runtime.memory);
    this.response = new ResponseWriter(this.outlet);
    this.#clock = new VisitorClock({ edge, outlet: this.outlet, onExpired: (purpose) => this.#expired(purpose) });
    edge.runtime.events.opened(this);
    takeBytes(socket, edge.runtime.memory, this.#onData);
    socket.on("end", this.#onEnd).on("error", ignoreError);
    socket.on("close", this.#onClose).on("finish", this.#onFinish).on("drain", this.#onDrain);
    this.#clock.start("silence");
  }

  /** The request that is being answered. */
  get exchange(): Exchange | undefined {
    return this.#exchange;
  }

  /** Bytes that are kept for this visitor: read ahead, and not yet taken by its socket. */
  get bufferedBytes(): number {
    return this.#ahead.bytes + this.outlet.pendingBytes;
  }

  /** Shutdown: an idle connection is closed, a busy one says `Connection: close` with its response. */
  drain(): void {
    if (this.#phase === "unread" || (this.#phase === "head" && !this.#reader.started)) this.#finishWriting();
  }

  /** Ends at once, without a word: by a reset if a response is under way, which must not look complete. */
  destroy(reason: string): void {
    const underWay = this.#exchange?.answered === true || this.outlet.pendingBytes > 0;
    this.#exchange?.abort(reason === "shutdown" ? "shutdown" : "visitor_abort");
    this.#exchange = undefined;
    if (underWay) cutSecured(this.#socket, this.#raw);
    this.#leave(reason);
    this.#socket.destroy();
    this.#raw.destroy();
  }

  /** Resets the connection, so that a cut transfer never looks complete. */
  cut(reason: string): void {
    this.#exchange = undefined;
    // In this order: what still waits for the end of the turn must not leave.
    cutSecured(this.#socket, this.#raw);
    this.#leave(reason);
  }

  /** The exchange waits for a name or a place. */
  wait(purpose: "name" | "room"): void {
    this.#clock.start(purpose);
  }

  /** The exchange has its stream: the body, if there is one, may flow. */
  exchangeOpened(stream: Stream): void {
    this.outlet.attach(stream);
    if (!this.#exchange || this.#exchange.requestComplete) this.#clock.start("response");
    else {
      this.#phase = "body";
      this.#clock.start("body");
    }
    if (!this.#reading) this.#replay();
  }

  /** The stream has room for more of the body. */
  resumeBody(): void {
    if (this.#phase !== "body" || !this.#body.full) return;
    this.#body.full = false;
    this.#awaitBody();
    this.#ahead.flow();
  }

  /** The response moved, so that a visitor may well be done with its body, or listen before it sends on. */
  responseMoved(): void {
    const { purpose } = this.#clock;
    if (purpose === "response" || purpose === "body") this.#clock.start("response");
  }

  /** An answer of the server itself ends the exchange. */
  answer(answer: ServerAnswer, options: AnswerOptions): void {
    this.response.writeAnswer(answer, options);
    this.exchangeFinished(options.persistence);
  }

  /** The response is written, up to what the socket still has to take. */
  exchangeFinished(persistence: Persistence): void {
    this.#exchange = undefined;
    this.#body.end();
    if (persistence === "close" || !this.#edge.accepting) {
      this.#finishWriting();
      return;
    }
    this.outlet.detach();
    this.#reader.reset();
    this.#awaitRequest();
  }

  /** A 101 was accepted: writes it and gives the socket away. */
  becomePipe(upgrade: Upgrade): void {
    const { stream, tunnel, trace } = upgrade;
    this.outlet.write(upgrade.firstBytes, 0);
    this.outlet.detach();
    this.#exchange = undefined;
    const early = this.#ahead.take();
    this.#leave("upgraded");
    this.#owner.onPipe({ socket: this.#socket, raw: this.#raw, stream, tunnel, early, outlet: this.outlet, trace });
  }

  readonly #onData = (chunk: Buffer): void => {
    const taken = this.#read(chunk);
    if (taken < chunk.length) this.#ahead.keep(chunk.subarray(taken));
  };

  /** The visitor's side ended: between requests that is a goodbye, during an exchange an abort (as nginx and Go have it). */
  readonly #onEnd = (): void => {
    if (this.#exchange) this.#abandoned("visitor_fin");
    else if (this.outlet.pendingBytes === 0) this.destroy("visitor_closed");
    else if (this.#phase !== "linger") this.#finishWriting();
  };

  readonly #onClose = (): void => {
    if (this.#exchange) this.#abandoned("visitor_reset");
    else this.#leave("visitor_closed");
  };

  readonly #onFinish = (): void => {
    if (this.#phase === "linger") this.#clock.start("linger"); // Only a FIN is awaited.
  };

  readonly #onDrain = (): void => {
    if (this.#phase === "unread") this.#awaitRequest(); // The visitor has taken what was written.
  };

  /** Reads what the phase allows; answers the offset of what has to wait. Nothing that throws here ends the process. */
  #read(chunk: Buffer): number {
    let at = 0;
    this.#reading = true;
    try {
      while (at < chunk.length && (this.#phase === "head" || this.#phase === "body")) {
        at = this.#phase === "head" ? this.#readHead(chunk, at) : this.#readBody(chunk, at);
      }
    } catch (error) {
      this.#edge.runtime.events.faulted("visitor", error);
      this.#exchange?.abort("internal");
      this.cut("fault");
    }
    this.#reading = false;
    // What comes behind the last answer is thrown away.
    return this.#phase === "linger" || this.#phase === "gone" ? chunk.length : at;
  }

  #readHead(chunk: Buffer, offset: number): number {
    const progress = this.#reader.read(chunk, offset);
    if (progress === HeadProgress.Complete) return this.#begin(chunk);
    if (progress === HeadProgress.Rejected) this.#reject(this.#reader.rejection);
    else if (this.#clock.purpose !== "head" && this.#reader.started) this.#clock.start("head");
    return chunk.length;
  }

  /** A request head is complete: decides whose it is. Answers the offset behind what was taken. */
  #begin(chunk: Buffer): number {
    const { head, next } = this.#reader;
    this.#phase = "ahead";
    const route = routeOf(head, { edge: this.#edge, origin: this.origin });
    switch (route.to) {
      case "own":
        this.#leave("own_request");
        this.#owner.onOwnRequest({
          socket: this.#socket,
          raw: this.#raw,
          address: this.origin.address,
          bytes: ownRequest(head, chunk.subarray(next)),
          login: head.upgradeWebsocket && isConnectRequest(head),
        });
        return chunk.length;
      case "refusal":
        reportRefusal(this.#edge.runtime.events, { ...route, origin: this.origin, head });
        this.response.reset(head);
        this.answer(route.answer, { accept: head.field("accept"), persistence: "close" });
        return next;
      case "tunnel":
        this.#start(head, route.name);
        return next;
      default:
        return unreachable(route);
    }
  }

  /** The head is shared with other connections: nothing may ask it once the exchange has begun. */
  #start(head: RequestHead, tunnelName: string): void {
    const exchange = new Exchange({ edge: this.#edge, visitor: this, head, tunnelName });
    this.#exchange = exchange;
    this.response.reset(head);
    this.#body.begin(head, exchange);
    exchange.begin();
  }

  #readBody(chunk: Buffer, offset: number): number {
    const progress = this.#body.feed(chunk, offset);
    switch (progress) {
      case BodyProgress.More:
        if (this.#body.full) {
          this.#edge.runtime.events.paused("visitor");
          this.#ahead.pause();
        }
        if (this.#phase === "body") this.#awaitBody();
        return chunk.length;
      case BodyProgress.Complete:
        // What is queued in the stream is bounded; the next request may be read meanwhile.
        this.#body.full = false;
        if (this.#phase === "body") this.#phase = "ahead";
        if (this.#exchange) this.#clock.start("response");
        return this.#body.next;
      case BodyProgress.Malformed:
        this.#badBody(badRequestAnswer(400, "bad_chunk"), "bad_chunk");
        return chunk.length;
      case BodyProgress.TooLarge:
        this.#badBody(badRequestAnswer(413, "body_too_large"), "body_too_large");
        return chunk.length;
      default:
        return unreachable(progress);
    }
  }

  /** The target has begun to work on what is now refused: for limits that is an abort like any other. */
  #badBody(answer: GatewayAnswer, reason: string): void {
    this.#edge.runtime.events.badRequest(reason);
    this.#countAbort();
    this.#exchange?.failWith(answer);
  }

  /** A visitor whose body is held back may be gone without a sign, so that this bounds the wait for the target too. */
  #awaitBody(): void {
    this.#clock.start(this.#exchange?.answered === true ? "response" : "body");
  }

  /** The next request may come; but a visitor that does not take its answers gets no more of them. */
  #awaitRequest(): void {
    const unread = this.#socket.writableNeedDrain;
    this.#phase = unread ? "unread" : "head";
    this.#clock.start(unread ? "flush" : "idle");
    if (!unread && !this.#reading) this.#replay();
  }

  /** Reads what was kept, as far as its turn has come. */
  #replay(): void {
    if (this.#ahead.bytes > 0) this.#ahead.advance(this.#read(this.#ahead.view));
    // What is gone belongs to somebody else; a body that is full goes on when the stream has room.
    if (this.#phase !== "gone" && !this.#body.full) this.#ahead.flow();
  }

  /** The bytes are no request: what they say of the form of an answer is not to be believed either. */
  #reject(rejection: RequestRejection): void {
    const answer = badRequestAnswer(rejection.status, rejection.reason);
    reportRefusal(this.#edge.runtime.events, { answer, reason: rejection.reason, origin: this.origin });
    this.response.reset(plainForm);
    this.answer(answer, { accept: undefined, persistence: "close" });
  }

  /** The visitor left in the middle of an exchange. */
  #abandoned(reason: string): void {
    this.#countAbort();
    this.destroy(reason);
  }

  #countAbort(): void {
    if (!this.origin.trusted) this.#edge.aborts.count(this.origin.address);
  }

  /** Nothing more will be written. What the visitor still sends is read for a while, so that no reset overtakes the answer. */
  #finishWriting(): void {
    if (this.#phase === "gone") return;
    this.#phase = "linger";
    this.#ahead.drop();
    this.#clock.start("flush");
    this.outlet.end();
    this.#ahead.flow();
  }

  /** Lets go of the socket and of everything else. */
  #leave(reason: string): void {
    if (this.#phase === "gone") return;
    this.#phase = "gone";
    this.#body.end();
    this.#ahead.drop();
    this.outlet.detach();
    // The listener for errors stays, and knows nobody: whoever has the socket next may live long, and this must not.
    leaveBytes(this.#socket, this.#onData);
    this.#socket.off("end", this.#onEnd).off("close", this.#onClose);
    this.#socket.off("finish", this.#onFinish).off("drain", this.#onDrain);
    this.#clock.stop(reason);
    this.#edge.runtime.events.closed(this, reason);
    this.#owner.onVisitorClosed(this);
  }

  #expired(purpose: ClockPurpose): void {
    const { events } = this.#edge.runtime;
    switch (purpose) {
      case "silence":
      case "idle":
      case "linger":
        this.destroy(purpose);
        return;
      case "head":
        this.#reject(rejections.head_timeout);
        return;
      case "name":
      case "room":
        this.#exchange?.waitedTooLong();
        return;
      case "body":
        events.refused("request_idle");
        if (this.#body.full) this.#exchange?.fail("target_timeout");
        else this.#giveUp("visitor_abort");
        return;
      case "response":
        events.refused("response_idle");
        if (this.#exchange?.answered === false) this.#exchange.fail("target_timeout");
        else this.#giveUp(this.outlet.pendingBytes > 0 ? "visitor_abort" : "target_timeout");
        return;
      case "flush":
        this.cut("flush_timeout");
        return;
      default:
        unreachable(purpose);
    }
  }

  /** Nothing moves any more: both ends are cut. */
  #giveUp(outcome: "visitor_abort" | "target_timeout"): void {
    this.#exchange?.abort(outcome);
    this.cut("idle");
  }
}
