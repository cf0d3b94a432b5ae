// Half a tunnel for tests: a server-role session in this process, and the client's side of it with one tunnel to a
// target. Streams are opened by hand, so that every step of an exchange can be seen and timed.

import assert from "node:assert/strict";
import type { ClientContext, TunnelClaim } from "../../src/client/client-tunnel.ts";
import { ClientTunnel } from "../../src/client/client-tunnel.ts";
import { inventoryOf } from "../../src/client/client-inventory.ts";
import type { ClientLimits } from "../../src/client/limits.ts";
import { defaultClientLimits } from "../../src/client/limits.ts";
import type { LinkSessionOwner } from "../../src/client/link-session.ts";
import { LinkSession } from "../../src/client/link-session.ts";
import { LocalPool } from "../../src/client/local-pool.ts";
import { noObserver } from "../../src/client/observer.ts";
import type { TargetOptions } from "../../src/client/target.ts";
import { parseTarget } from "../../src/client/target.ts";
import type { ExchangeOutcome } from "../../src/lifecycle/events.ts";
import { noEvents } from "../../src/lifecycle/events.ts";
import { fanout } from "../../src/lifecycle/fanout.ts";
import type { Runtime } from "../../src/lifecycle/runtime.ts";
import { createRuntime } from "../../src/lifecycle/runtime.ts";
import { Ledger } from "../../src/leaks/ledger.ts";
import type { SessionHandler, StreamHandler } from "../../src/mux/handlers.ts";
import { Session } from "../../src/mux/session.ts";
import type { Stream } from "../../src/mux/stream.ts";
import type { ResetReason } from "../../src/wire/codes.ts";
import type { ControlMessage, TunnelKind } from "../../src/wire/control.ts";
import { tlsFeature } from "../../src/wire/control.ts";
import type { OpenExchange } from "../../src/wire/open.ts";
import { transportPair } from "../support/transport-pair.ts";
import { until } from "../support/until.ts";

/** The server's end of one stream. */
export class Visit implements StreamHandler {
  readonly heads: string[] = [];
  readonly chunks: Buffer[] = [];
  bodyBytes = 0;
  trailers = "";
  ended = false;
  reset: ResetReason | "session_lost" | undefined;
  /** While true, received bytes are kept without giving credit for them. */
  holds = false;
  /** Body chunks are counted, not kept. */
  counts = false;
  onChunk: ((chunk: Buffer) => void) | undefined;
  writable: (() => void) | undefined;
  stream: Stream | undefined;
  #owed = 0;

  get head(): string {
    return this.heads.at(-1) ?? "";
  }

  get status(): number {
    return Number(this.head.slice(9, 12));
  }

  get body(): string {
    return Buffer.concat(this.chunks).toString("latin1");
  }

  onHead(head: Buffer, end: boolean): void {
    this.heads.push(head.toString("latin1"));
    this.ended ||= end;
  }

  onData(chunk: Buffer, end: boolean): void {
    this.bodyBytes += chunk.length;
    if (!this.counts) this.chunks.push(Buffer.from(chunk));
    this.onChunk?.(chunk);
    this.ended ||= end;
    if (this.holds) this.#owed += chunk.length;
    else this.stream?.consumed(chunk.length);
  }

  onTrailers(trailers: Buffer): void {
    this.trailers = trailers.toString("latin1");
    this.ended = true;
  }

  onReset(reason: ResetReason | "session_lost"): void {
    this.reset = reason;
  }

  onWritable(): void {
    this.writable?.();
  }

  onOpened(): void {}

  /** Gives the credit that was held back, and holds no more. */
  takeAll(): void {
    this.holds = false;
    this.stream?.consumed(this.#owed);
    this.#owed = 0;
  }

  /** Sends everything, waiting for room in between. */
  async send(chunks: Iterable<Buffer>): Promise<void> {
    for (const chunk of chunks) {
      if (this.stream?.sendData(chunk, "more")) continue;
      if (this.stream?.closed) return;
      await new Promise<void>((resolve) => (this.writable = resolve));
    }
    this.stream?.sendData(Buffer.alloc(0), "end");
  }

  /** Resolves when the response has ended or was cut. */
  async over(timeoutMs = 10_000): Promise<this> {
    await until(() => this.ended || this.reset !== undefined, {
      what: "the exchange is over",
      timeoutMs,
      detail: () => ({ heads: this.heads, bytes: this.bodyBytes }),
    });
    return this;
  }
}

/** What an exchange is opened with, beside its head; by default a GET without a body. */
export type VisitOptions = Partial<Omit<OpenExchange, "kind" | "tunnel" | "head" | "hostAt" | "hostLength">>;

/** What an uplink leads to. */
export interface UplinkOptions extends TargetOptions {
  readonly target: string;
  readonly kind?: TunnelKind;
  readonly limits?: Partial<ClientLimits>;
}

/** Both ends. */
export class Uplink {
  readonly ledger: Ledger = new Ledger();
  readonly serverLedger: Ledger = new Ledger();
  readonly faults: unknown[] = [];
  /** What the client's observer was told of requests. */
  readonly requests: { method: string; path: string; outcome: ExchangeOutcome; failure: string; status: number }[] = [];
  readonly pauses: string[] = [];
  readonly pool: LocalPool;
  readonly link: LinkSession;
  readonly #server: Session;
  readonly #runtime: Runtime;
  readonly #serverRuntime: Runtime;
  #closedSides = 0;

  private constructor(options: UplinkOptions) {
    const watch = { ...noEvents, faulted: (where: string, error: unknown) => void this.faults.push({ where, error }) };
    const clientWatch = { ...watch, paused: (side: string) => void this.pauses.push(side) };
    this.#runtime = createRuntime(fanout(this.ledger, clientWatch));
    this.#serverRuntime = createRuntime(fanout(this.serverLedger, watch));
    const kind = options.kind ?? "http";
    const limits = { ...defaultClientLimits, ...options.limits };
    const target = parseTarget(kind, options.target, options);
    this.pool = new LocalPool({ target, limits, runtime: this.#runtime });
    const context: ClientContext = {
      runtime: this.#runtime,
      limits,
      features: [],
      observer: {
        ...noObserver,
        request: ({ method, target: path, status }, outcome, failure) => {
          this.requests.push({ method, path, outcome, failure, status });
        },
      },
    };
    const [serverEnd, clientEnd] = transportPair();
    const claim: TunnelClaim = { id: 1, kind, name: "demo", port: undefined, pool: this.pool, inService: true };
    this.#server = new Session({
      role: "server",
      transport: serverEnd,
      runtime: this.#serverRuntime,
      handler: this.#serverHandler(),
      peer: "test",
      hello: { version: "0.0.0", instance: "server", maxStreams: 1024, features: [tlsFeature] },
    });
    this.link = new LinkSession({
      owner: this.#linkOwner(claim),
      context,
      transport: clientEnd,
      server: "test",
      version: "0.0.0",
      instance: "client",
      muxLimits: {},
    });
  }

  /** Connects both ends and registers the tunnel. */
  static async open(options: UplinkOptions): Promise<Uplink> {
    const uplink = new Uplink(options);
    await until(() => uplink.link.tunnels.get(1) instanceof ClientTunnel, { what: "the tunnel stands" });
    return uplink;
  }

  /** The server's end of the session. */
  get server(): Session {
    return this.#server;
  }

  /** Opens an exchange. `head` is the request head with \n for line ends and without the empty line. */
  visit(head: string, options: VisitOptions = {}): Visit {
    const text = `${head.trim().replaceAll("\n", "\r\n")}\r\n\r\n`;
    const at = text.indexOf("\r\nHost: ");
    const hostAt = at < 0 ? 0 : at + 8;
    return this.#open({
      kind: "exchange",
      tunnel: 1,
      body: "none",
      headOnly: text.startsWith("HEAD "),
      idempotent: !text.startsWith("POST "),
      upgrade: false,
      expectContinue: false,
      ...options,
      hostAt,
      hostLength: hostAt === 0 ? 0 : text.indexOf("\r\n", hostAt) - hostAt,
      head: Buffer.from(text, "latin1"),
    });
  }

  /** Opens a pipe. */
  pipe(): Visit {
    return this.#open({ kind: "pipe", tunnel: 1, visitor: "192.0.2.1" });
  }

  /** A GET of `path`, complete. */
  async get(path: string): Promise<Visit> {
    return this.visit(`GET ${path} HTTP/1.1\nHost: demo.test`).over();
  }

  /** What the client holds. */
  held(): Record<string, number> {
    const session = { sessions: new Set([this.link]), dialing: false };
    const inventory = inventoryOf({ links: [session], pools: [this.pool], deadlines: this.#runtime.deadlines });
    return inventory.held;
  }

  /** Ends both sides and proves that nothing is left. */
  async close(): Promise<void> {
    this.link.session.terminate("goodbye");
    await until(() => this.#closedSides === 2, { what: "both sessions are closed" });
    await new Promise<void>((resolve) => this.pool.close(resolve));
    assert.deepEqual(this.ledger.outstanding, {}, "the client's ledger");
    assert.deepEqual(this.serverLedger.outstanding, {}, "the server's ledger");
    assert.deepEqual(this.faults, []);
    assert.equal(this.#runtime.deadlines.size, 0);
    assert.equal(this.#runtime.deadlines.gapListeners, 0);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(request: Parameters<Session["open"]>[0]): Visit {
    const visit = new Visit();
    visit.stream = this.#server.open(request, visit);
    return visit;
  }

  #serverHandler(): SessionHandler {
    return {
      onReady: () => {},
      onOpen: () => "no_tunnel",
      onControl: (session: Session, message: ControlMessage) => {
        if (message.type !== "register") return;
        const direct = { url: "http://127.0.0.1", host: "demo.test" };
        session.sendControl({
          type: "registered",
          id: message.id,
          name: message.name ?? "random",
          url: "http://demo.test",
          direct,
          resumeKey: "key",
        });
      },
      onGoAway: () => {},
      onRoom: () => {},
      onClosed: () => {
        this.#closedSides += 1;
      },
    };
  }

  #linkOwner(claim: TunnelClaim): LinkSessionOwner {
    return {
      onReady: (session) => session.register(claim, undefined),
      onRegistered: () => {},
      onRefused: () => {},
      onTunnelClosed: () => {},
      onGoAway: () => {},
      onClosed: () => {
        this.#closedSides += 1;
      },
    };
  }
}
