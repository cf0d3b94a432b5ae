// One request of a visitor and its response, on one stream. It finds the way into a tunnel (waiting, within bounds, for
// a name or for a place), checks what comes back as strictly as what went in, and tells the visitor's connection what to
// write. It never trusts the client: heads are parsed again, and bodies are held against what their heads announced.

import { performance } from "node:perf_hooks";
import type { ComposedRequest } from "../http1/compose.ts";
import { composeResponse } from "../http1/compose.ts";
import { fieldIds } from "../http1/fields.ts";
import { HeadProgress } from "../http1/progress.ts";
import type { RequestHead, ResponseHead } from "../http1/head.ts";
import { acceptFor } from "../http1/websocket-accept.ts";
import type { ExchangeOutcome, ExchangeView, SessionView, TraceContext } from "../lifecycle/events.ts";
import type { StreamHandler } from "../mux/handlers.ts";
import type { Stream } from "../mux/stream.ts";
import type { ResetReason } from "../wire/codes.ts";
import type { RoomWaiter } from "./client-session.ts";
import type { Edge } from "./edge.ts";
import { dropFromTargets, forwardRequest } from "./forwarding.ts";
import type { GatewayAnswer, GatewayFailure } from "./gateway-answers.ts";
import { failureOf, gatewayAnswers } from "./gateway-answers.ts";
import type { NameWaiter } from "./name-table.ts";
import { HeldName } from "./name-table.ts";
import type { Persistence } from "./response-writer.ts";
import { fieldOfHead, fieldListOfHead } from "./stored-head.ts";
import type { Tunnel } from "./tunnel.ts";
import type { VisitorConnection } from "./visitor-connection.ts";

const noBytes: Buffer = Buffer.alloc(0);

/** What an exchange is made of. */
export interface ExchangeOptions {
  readonly edge: Edge;
  readonly visitor: VisitorConnection;
  readonly head: RequestHead;
  /** The name of the tunnel that the Host asks for. */
  readonly tunnelName: string;
}

/** A request on its way, and its response. */
export class Exchange implements ExchangeView, StreamHandler, NameWaiter, RoomWaiter {
  readonly kind = "exchange";
  readonly role = "server";
  readonly openedAtMs: number = performance.now();
  readonly method: string;
  readonly host: string;
  readonly tunnelName: string;
  readonly trace: TraceContext | undefined;
  readonly upstream = undefined;
  readonly saysUnrecorded = false;
  readonly protocolVersion: "1.0" | "1.1";
  status = 0;
  streamAtMs = 0;
  firstByteAtMs = 0;
  endedAtMs = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** The visitor's whole request was read. */
  requestComplete: boolean;
  readonly #edge: Edge;
  readonly #visitor: VisitorConnection;
  readonly #request: ComposedRequest;
  readonly #body: "none" | "length" | "chunked";
  readonly #headOnly: boolean;
  readonly #idempotent: boolean;
  readonly #expectContinue: boolean;
  readonly #webSocketKey: string | undefined;
  /** Set while the live head may be asked for fields: until the constructor ends. */
  #liveHead: RequestHead | undefined;
  #stream: Stream | undefined;
  #tunnel: Tunnel | undefined;
  #waitsFor: HeldName | Tunnel | undefined;
  #ended = false;
  #persistence: Persistence;

  constructor(options: ExchangeOptions) {
    const { edge, visitor, head } = options;
    this.#edge = edge;
    this.#visitor = visitor;
    this.method = head.method;
    this.host = head.host;
    this.protocolVersion = head.versionMinor === 0 ? "1.0" : "1.1";
    this.tunnelName = options.tunnelName;
    this.#body = head.body;
    this.#headOnly = head.headOnly;
    this.#idempotent = head.idempotent;
    this.#expectContinue = head.expectContinue;
    this.#webSocketKey = head.upgradeWebsocket ? head.field("sec-websocket-key") : undefined;
    this.#persistence = head.keepAlive ? "persist" : "close";
    this.requestComplete = head.body === "none";
    edge.runtime.exchanges.opened(this);
    this.#liveHead = head;
    this.trace = edge.runtime.events.exchangeStarted(this);
    this.#request = forwardRequest(head, {
      origin: visitor.origin,
      address: edge.address,
      tunnelName: options.tunnelName,
      upgrade: this.#webSocketKey !== undefined,
      trace: this.trace,
    });
    this.#liveHead = undefined;
  }

  get visitorAddress(): string {
    return this.#visitor.origin.address;
  }

  get trusted(): boolean {
    return this.#visitor.origin.trusted;
  }

  get traceparent(): string | undefined {
    if (this.#liveHead && this.#liveHead.find(fieldIds.traceparent) < 0) return undefined;
    return this.fieldList("traceparent");
  }

  get secure(): boolean {
    return this.#visitor.origin.scheme === "https";
  }

  get session(): SessionView | undefined {
    return this.#stream?.session;
  }

  get target(): string {
    if (this.#liveHead) return this.#liveHead.target;
    const line = this.#request.bytes;
    const start = line.indexOf(0x20) + 1;
    return line.toString("latin1", start, line.indexOf(0x20, start));
  }

  field(name: string): string | undefined {
    return this.#liveHead ? this.#liveHead.field(name) : fieldOfHead(this.#request.bytes, name);
  }

  fieldList(name: string): string | undefined {
    return this.#liveHead ? this.#liveHead.fieldList(name) : fieldListOfHead(this.#request.bytes, name);
  }

  /** True once the request has a stream, so that its body can flow. */
  get opened(): boolean {
    return this.#stream !== undefined;
  }

  /** True while a response has begun that cannot be replaced by an error page any more. */
  get answered(): boolean {
    return this.#visitor.response.begun;
  }

  /** Finds the way into the tunnel: at once, after a wait, or not at all. */
  begin(): void {
    const holder = this.#edge.names.find(this.tunnelName);
    if (holder === undefined) this.fail("no_tunnel");
    else if (!(holder instanceof HeldName)) this.#enter(holder);
    else if (!this.#edge.names.wait(holder, this)) this.#refuse("reconnecting", "name_waiters");
    else {
      this.#waitsFor = holder;
      this.#visitor.wait("name");
    }
  }

  onNameBack(tunnel: Tunnel): void {
    this.#waitsFor = undefined;
    this.#enter(tunnel);
  }

  onNameLost(): void {
    this.#waitsFor = undefined;
    this.fail("reconnecting");
  }

  onRoom(): void {
    this.#waitsFor = undefined;
    this.begin();
  }

  onRoomLost(): void {
    this.#waitsFor = undefined;
    this.fail("reconnecting");
  }

  /** The wait that {@link begin} started took too long. */
  waitedTooLong(): void {
    if (this.#waitsFor instanceof HeldName) this.#refuse("reconnecting", "name_wait");
    else this.#refuse("overloaded", "room_wait");
  }

  /** Body bytes of the visitor, without their framing. False: pause until the connection is told to go on. */
  sendBody(chunk: Buffer, end: "end" | "more"): boolean {
    this.bytesIn += chunk.length;
    this.#edge.runtime.events.bytes("in", chunk.length);
    if (this.#tunnel) this.#tunnel.bytesIn += chunk.length;
    if (end === "end") this.requestComplete = true;
    return this.#stream?.sendData(chunk, end) ?? true;
  }

  /** The visitor's trailer section, filtered; the request is complete with it. */
  sendTrailers(section: Buffer): void {
    this.requestComplete = true;
    this.#stream?.sendTrailers(section);
  }

  /** The visitor went away, or broke its own request off. */
  abort(outcome: ExchangeOutcome): void {
    this.#stream?.reset("cancelled");
    this.#end(outcome);
  }

  /** Ends the exchange with an error of ours: a page if nothing was sent yet, a cut connection otherwise. */
  fail(failure: GatewayFailure): void {
    this.failWith(gatewayAnswers[failure]);
  }

  /** Like {@link fail}, for any answer. */
  failWith(answer: GatewayAnswer): void {
    if (this.#ended) return;
    this.#stream?.reset("cancelled");
    const { answered } = this;
    if (!answered) this.status = answer.status;
    this.#end(answer.error);
    if (answered) {
      this.#visitor.cut(answer.error);
      return;
    }
    // A bad request always closes; so does one whose end may still be on its way.
    const persistence = this.requestComplete && answer.error !== "bad_request" ? this.#persistence : "close";
    this.#visitor.answer(answer, { accept: this.field("accept"), persistence });
  }

  onOpened(): void {
    // The request head is on its way; nothing waits for that.
  }

  onWritable(): void {
    if (!this.#ended) this.#visitor.resumeBody();
  }

  onHead(bytes: Buffer, end: boolean): void {
    const reader = this.#edge.responses;
    reader.reset();
    if (this.answered || reader.read(bytes, 0) !== HeadProgress.Complete || reader.next !== bytes.length) {
      this.#distrust();
      return;
    }
    const { head } = reader;
    if (head.status === 101) this.#switchProtocols(head, end);
    else if (head.status < 200) this.#inform(head, end);
    else this.#respond(head, end);
  }

  onData(chunk: Buffer, end: boolean): void {
    this.bytesOut += chunk.length;
    if (this.#tunnel) this.#tunnel.bytesOut += chunk.length;
    this.#edge.runtime.events.bytes("out", chunk.length);
    this.#visitor.responseMoved();
    if (!this.#visitor.response.writeBody(chunk, end)) this.#distrust();
    else if (end) this.#finish();
  }

  onTrailers(section: Buffer): void {
    if (this.#visitor.response.writeTrailers(section)) this.#finish();
    else this.#distrust();
  }

  onReset(reason: ResetReason | "session_lost"): void {
    this.fail(failureOf(reason));
  }

  #enter(tunnel: Tunnel): void {
    const { session } = tunnel.session;
    const overload = this.#edge.overload.refusesStreams(this.openedAtMs);
    if (tunnel.type !== "http") this.fail("no_tunnel");
    else if (overload !== undefined) this.#refuse("overloaded", overload);
    else if (session.hasRoom) this.#open(tunnel);
    else if (session.state !== "ready") this.fail("reconnecting");
    else if (!tunnel.session.waitForRoom(this)) this.#refuse("overloaded", "room_waiters");
    else {
      this.#waitsFor = tunnel;
      this.#visitor.wait("room");
    }
  }

  #open(tunnel: Tunnel): void {
    this.#tunnel = tunnel;
    tunnel.requests += 1;
    tunnel.streams += 1;
    const stream = tunnel.session.session.open(
      {
        kind: "exchange",
        tunnel: tunnel.id,
        body: this.#body,
        headOnly: this.#headOnly,
        idempotent: this.#idempotent,
        upgrade: this.#webSocketKey !== undefined,
        expectContinue: this.#expectContinue,
        hostAt: this.#request.hostAt,
        hostLength: this.#request.hostLength,
        head: this.#request.bytes,
      },
      this,
    );
    this.#stream = stream;
    this.streamAtMs = stream.openedAtMs;
    this.#visitor.exchangeOpened(stream);
  }

  #refuse(failure: GatewayFailure, limit: string): void {
    this.#edge.runtime.events.refused(limit);
    this.fail(failure);
  }

  /** The client sent what no target may answer. */
  #distrust(): void {
    this.fail("bad_target_response");
  }

  #inform(head: ResponseHead, end: boolean): void {
    if (end) this.#distrust();
    else this.#visitor.response.writeInformational(head);
  }

  #switchProtocols(head: ResponseHead, end: boolean): void {
    const stream = this.#stream;
    const tunnel = this.#tunnel;
    const key = this.#webSocketKey;
    const accepted =
      key !== undefined && head.upgradeWebsocket && head.field("sec-websocket-accept") === acceptFor(key);
    if (end || !stream || !tunnel || !accepted) {
      this.#distrust();
      return;
    }
    this.#noteStatus(101);
    const bytes = composeResponse(head, { drop: dropFromTargets, suffix: "", upgrade: true });
    this.#end("ok");
    this.#visitor.becomePipe({ stream, tunnel, firstBytes: bytes, trace: this.trace });
  }

  #respond(head: ResponseHead, end: boolean): void {
    // A target that answers before the request is complete may be right; what is left of the request is not worth a connection.
    const wanted = this.requestComplete && this.#edge.accepting ? this.#persistence : "close";
    const persistence = this.#visitor.response.writeHead(head, wanted, end);
    if (persistence === false) {
      this.#distrust();
      return;
    }
    this.#persistence = persistence;
    this.#noteStatus(head.status);
    this.#visitor.responseMoved();
    // An upgrade that was declined: our half was kept open for a pipe that is not to be.
    if (this.#webSocketKey !== undefined) this.#stream?.sendData(noBytes, "end");
    if (end) this.#finish();
  }

  #noteStatus(status: number): void {
    this.status = status;
    this.firstByteAtMs = this.#heardAtMs();
  }

  /** When the session's message came that is being read: its time is known, so the clock is not asked per exchange. */
  #heardAtMs(): number {
    return this.#stream?.session.lastHeardMs ?? performance.now();
  }

  #finish(): void {
    const stream = this.#stream;
    // What is left of the request is of no use to anybody, and must not wait here for a target that reads no more.
    if (stream && (!this.requestComplete || stream.queuedBytes > 0)) stream.reset("cancelled");
    this.#end("ok");
    this.#visitor.exchangeFinished(this.requestComplete ? this.#persistence : "close");
  }

  #end(outcome: ExchangeOutcome): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#waitsFor instanceof HeldName) this.#waitsFor.waiters.delete(this);
    else this.#waitsFor?.session.leaveRoom(this);
    this.#waitsFor = undefined;
    if (this.#tunnel) this.#tunnel.streams -= 1;
    this.#tunnel = undefined;
    this.endedAtMs = outcome === "ok" ? this.#heardAtMs() : performance.now();
    const { events, exchanges } = this.#edge.runtime;
    events.exchangeEnded(this, outcome);
    this.#stream = undefined;
    exchanges.closed(this, outcome);
  }
}
