// One visitor's connection: reads requests from the raw socket, one exchange at a time, and owns the socket until it is
// closed, cut, handed to the server's own pages, or taken over by a pipe. It never parses what it handed over.
//
//   head ──complete──> body ──complete──> ahead (reading at most 64 KiB of what follows, so that a FIN is seen)
//    ^                                      │ response done
//    └──────────────── persist ─────────────┴── else ──> linger ──> gone

import type { Socket } from "node:net";
import type { RequestRejection } from "../http1/limits.ts";
import { composeRequest } from "../http1/compose.ts";
import { RequestHeadReader } from "../http1/head-reader.ts";
import type { RequestHead } from "../http1/head.ts";
import { rejections, requestHeadLimits } from "../http1/limits.ts";
import { HeadProgress } from "../http1/progress.ts";
import { unreachable } from "../lifecycle/errors.ts";
import type { Resource } from "../lifecycle/resource.ts";
import { SocketOutlet } from "../mux/socket-outlet.ts";
import type { Stream } from "../mux/stream.ts";
import type { Edge } from "./edge.ts";
import { Exchange } from "./exchange.ts";
import { visitorOrigin } from "./forwarding.ts";
import type { VisitorOrigin } from "./forwarding.ts";
import { badRequestAnswer, renderAnswer } from "./gateway-answers.ts";
import type { AnswerForm, GatewayAnswer } from "./gateway-answers.ts";
import { ReadAhead } from "./read-ahead.ts";
import { BodyProgress, RequestBody } from "./request-body.ts";
import type { Persistence } from "./response-writer.ts";
import { ResponseWriter } from "./response-writer.ts";
import { routeOf } from "./routing.ts";
import type { ClockPurpose } from "./visitor-clock.ts";
import { VisitorClock } from "./visitor-clock.ts";
import type { VisitorOwner } from "./visitor-owner.ts";

/** What an accepted connection is made of. */
export interface VisitorConnectionOptions {
  readonly edge: Edge;
  readonly owner: VisitorOwner;
  /** Where bytes are read and written: the TCP socket, or the TLS socket over it. */
  readonly socket: Socket;
  /** The TCP socket itself, which alone can be reset. */
  readonly raw: Socket;
  readonly address: string;
  readonly scheme: "http" | "https";
}

const plainForm: AnswerForm = { html: false, headOnly: false, persist: false, versionMinor: 1 };

/** Drops no field: the server's own pages get what the visitor said. */
const keepAll: Uint8Array = new Uint8Array(256);

type Phase = "head" | "body" | "ahead" | "linger" | "gone";

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
  readonly #reader: RequestHeadReader = new RequestHeadReader(requestHeadLimits);
  readonly #body: RequestBody;
  readonly #clock: VisitorClock;
  #phase: Phase = "head";
  #exchange: Exchange | undefined;
  readonly #ahead: ReadAhead = new ReadAhead();
  #reading = false;

  constructor(options: VisitorConnectionOptions) {
    const { edge, socket, address, scheme } = options;
    this.#edge = edge;
    this.#owner = options.owner;
    this.#socket = socket;
    this.#raw = options.raw;
    this.origin = visitorOrigin({ address, scheme, trusted: edge.trusted.has(address), viaName: edge.viaName });
    this.#body = new RequestBody(edge.limits.maxBodyBytes);
    this.outlet = new SocketOutlet(socket);
    this.response = new ResponseWriter(this.outlet);
    this.#clock = new VisitorClock({ edge, outlet: this.outlet, onExpired: (purpose) => this.#expired(purpose) });
    edge.runtime.events.opened(this);
    socket.on("data", this.#onData).on("end", this.#onEnd).on("error", this.#onError);
    socket.on("close", this.#onClose).on("finish", this.#onFinish);
    this.#clock.start("silence");
  }

  /** Whether a request is being answered. */
  get exchange(): Exchange | undefined {
    return this.#exchange;
  }

  /** Bytes that are kept for this visitor: read ahead, and not yet taken by its socket. */
  get bufferedBytes(): number {
    return this.#ahead.bytes + this.outlet.pendingBytes;
  }

  /** Shutdown: an idle connection is closed, a busy one says `Connection: close` with its response. */
  drain(): void {
    if (this.#phase === "head" && !this.#reader.started) this.#finishWriting();
  }

  /** Ends at once, without a word. */
  destroy(reason: string): void {
    this.#exchange?.abort("visitor_abort");
    this.#exchange = undefined;
    this.#leave(reason);
    this.#socket.destroy();
    this.#raw.destroy();
  }

  /** Resets the connection, so that a cut transfer never looks complete. */
  cut(reason: string): void {
    this.#exchange = undefined;
    this.#leave(reason);
    this.#raw.resetAndDestroy();
    this.#socket.destroy();
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
    if (this.#phase === "gone") return;
    this.#socket.resume();
  }

  /** Bytes of the response arrived. */
  responseMoved(): void {
    if (this.#clock.purpose === "response") this.#clock.start("response");
  }

  /** An answer of the server itself ends the exchange. */
  answer(answer: GatewayAnswer, persistence: Persistence): void {
    const { head } = this.#reader;
    const bytes = renderAnswer(answer, {
      html: head.field("accept")?.includes("text/html") === true,
      headOnly: head.headOnly,
      persist: persistence === "persist",
      versionMinor: head.versionMinor,
    });
    this.outlet.write(bytes, 0);
    this.exchangeFinished(persistence);
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
    this.#phase = "head";
    this.#reader.reset();
    this.#clock.start("idle");
    if (!this.#reading) this.#replay();
  }

  /** A 101 was accepted: writes it and gives the socket away. */
  becomePipe(upgrade: { readonly stream: Stream; readonly firstBytes: Buffer }): void {
    this.outlet.write(upgrade.firstBytes, 0);
    this.outlet.detach();
    this.#exchange = undefined;
    const initial = this.#ahead.take();
    this.#leave("upgraded");
    this.#owner.onPipe(this, {
      socket: this.#socket,
      stream: upgrade.stream,
      cut: () => this.#raw.resetAndDestroy(),
      initial,
      outlet: this.outlet,
    });
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#reading = true;
    let offset = 0;
    while (offset < chunk.length) {
      switch (this.#phase) {
        case "head":
          offset = this.#readHead(chunk, offset);
          break;
        case "body":
          offset = this.#readBody(chunk, offset);
          break;
        case "ahead":
          offset = this.#keepAhead(chunk, offset);
          break;
        case "linger":
        case "gone":
          offset = chunk.length; // What comes behind the last answer is thrown away.
          break;
        default:
          unreachable(this.#phase);
      }
    }
    this.#reading = false;
  };

  /** The visitor's side ended: between requests that is a goodbye, during an exchange an abort (as nginx and Go have it). */
  readonly #onEnd = (): void => {
    if (this.#exchange) this.#abandoned("visitor_fin");
    else if (this.#phase === "linger" && this.#socket.writableLength > 0) return;
    else if (this.outlet.pendingBytes > 0) this.#finishWriting();
    else this.destroy("visitor_closed");
  };

  readonly #onError = (): void => {
    // The close that follows says all that matters.
  };

  readonly #onClose = (): void => {
    if (this.#exchange) this.#abandoned("visitor_reset");
    else this.#leave("visitor_closed");
  };

  /** All is written: now only a FIN is awaited. */
  readonly #onFinish = (): void => {
    if (this.#phase === "linger") this.#clock.start("linger");
  };

  #readHead(chunk: Buffer, offset: number): number {
    const progress = this.#reader.read(chunk, offset);
    if (progress === HeadProgress.Complete) return this.#begin(chunk);
    if (progress === HeadProgress.Rejected) {
      this.#reject(this.#reader.rejection);
      return chunk.length;
    }
    if (this.#clock.purpose !== "head" && this.#reader.started) this.#clock.start("head");
    return chunk.length;
  }

  /** A request head is complete: decides whose it is. Answers the offset behind what was taken. */
  #begin(chunk: Buffer): number {
    const { head, next } = this.#reader;
    const edge = this.#edge;
    this.#phase = "ahead";
    const route = routeOf(head, { edge, address: this.origin.address });
    switch (route.to) {
      case "own":
        this.#giveAway(chunk, next);
        return chunk.length;
      case "refusal":
        edge.runtime.events.refused(route.reason);
        this.answer(route.answer, "close");
        return next;
      case "tunnel":
        this.#start(head, route.name);
        return next;
      default:
        return unreachable(route);
    }
  }

  #start(head: RequestHead, tunnelName: string): void {
    const exchange = new Exchange({ edge: this.#edge, visitor: this, head, tunnelName });
    this.#exchange = exchange;
    this.response.reset(head);
    this.#body.begin(head, exchange);
    exchange.begin();
  }

  #readBody(chunk: Buffer, offset: number): number {
    const progress = this.#body.feed(chunk, offset);
    const { next } = this.#body;
    if (this.#body.full) {
      this.#edge.runtime.events.paused("visitor");
      this.#socket.pause();
    }
    switch (progress) {
      case BodyProgress.More:
        this.#clock.start("body");
        return next;
      case BodyProgress.Complete:
        // The exchange may have ended, and with it the phase, while the last bytes were given to it.
        if (this.#phase === "body") this.#phase = "ahead";
        if (this.#exchange) this.#clock.start("response");
        return next;
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

  #badBody(answer: GatewayAnswer, reason: string): void {
    this.#edge.runtime.events.badRequest(reason);
    this.#exchange?.failWith(answer);
  }

  /** Keeps what belongs to later requests, or to a body that has nowhere to go yet. */
  #keepAhead(chunk: Buffer, offset: number): number {
    this.#ahead.keep(chunk.subarray(offset));
    if (this.#ahead.bytes >= this.#edge.limits.readAheadBytes) this.#socket.pause();
    return chunk.length;
  }

  #replay(): void {
    if (this.#ahead.bytes > 0) this.#onData(this.#ahead.take());
    if (this.#phase === "gone" || this.#body.full || this.#ahead.bytes >= this.#edge.limits.readAheadBytes) return;
    this.#socket.resume();
  }

  /** The bytes are no request: what they say of the form of an answer is not to be believed either. */
  #reject(rejection: RequestRejection): void {
    this.#edge.runtime.events.badRequest(rejection.reason);
    this.outlet.write(renderAnswer(badRequestAnswer(rejection.status, rejection.reason), plainForm), 0);
    this.exchangeFinished("close");
  }

  #giveAway(chunk: Buffer, next: number): void {
    const { head } = this.#reader;
    // Only an upgrade may be followed by bytes that belong to it; whatever else comes is not parsed on the other side.
    const { bytes } = composeRequest(head, {
      drop: keepAll,
      suffix: head.upgradeWebsocket ? "" : "Connection: close\r\n",
      upgrade: head.upgradeWebsocket,
      authority: head.authority,
    });
    const rest = head.upgradeWebsocket ? chunk.subarray(next) : chunk.subarray(chunk.length);
    this.outlet.detach();
    this.#leave("own_request");
    this.#owner.onOwnRequest(this, { socket: this.#socket, bytes: Buffer.concat([bytes, rest]) });
  }

  /** The visitor left in the middle of an exchange. */
  #abandoned(reason: string): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (!this.origin.trusted) this.#edge.aborts.count(this.origin.address);
    exchange?.abort("visitor_abort");
    this.#leave(reason);
    this.#socket.destroy();
    this.#raw.destroy();
  }

  /** Nothing more will be written. What the visitor still sends is read for a while, so that no reset overtakes the answer. */
  #finishWriting(): void {
    if (this.#phase === "gone") return;
    this.#phase = "linger";
    this.#ahead.drop();
    this.#clock.start("flush");
    this.outlet.end();
    this.#socket.resume();
  }

  /** Lets go of the socket and of everything else. */
  #leave(reason: string): void {
    if (this.#phase === "gone") return;
    this.#phase = "gone";
    this.#body.end();
    this.#ahead.drop();
    this.outlet.detach();
    this.#socket
      .off("data", this.#onData)
      .off("end", this.#onEnd)
      .off("close", this.#onClose)
      .off("finish", this.#onFinish);
    // The error listener stays: a socket that is being destroyed may still report one, and nobody else listens yet.
    this.#clock.stop(reason);
    this.#edge.runtime.events.closed(this, reason);
    this.#owner.onVisitorClosed(this);
  }

  #expired(purpose: ClockPurpose): void {
    switch (purpose) {
      case "silence":
        this.destroy("silent");
        return;
      case "idle":
        this.destroy("keep_alive");
        return;
      case "head":
        this.#reject(rejections.head_timeout);
        return;
      case "name":
      case "room":
        this.#exchange?.waitedTooLong();
        return;
      case "body":
        this.#edge.runtime.events.refused("request_idle");
        this.#giveUp();
        return;
      case "response":
        this.#edge.runtime.events.refused("response_idle");
        if (this.#exchange && !this.#exchange.answered) this.#exchange.fail("target_timeout");
        else this.#giveUp();
        return;
      case "flush":
        this.cut("flush_timeout");
        return;
      case "linger":
        this.destroy("closed");
        return;
      default:
        unreachable(purpose);
    }
  }

  /** Nothing moves any more: both ends are cut. */
  #giveUp(): void {
    this.#exchange?.abort("visitor_abort");
    this.cut("idle");
  }
}
