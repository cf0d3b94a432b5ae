// Two sessions that talk to each other, with owners that note everything and do what a test tells them.
// settle() ends both and proves that nothing is left of them.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Runtime } from "../../src/lifecycle/runtime.ts";
import { createRuntime } from "../../src/lifecycle/runtime.ts";
import type { GrowthBudget } from "../../src/mux/growth-budget.ts";
import type { SessionCloseReason, SessionHandler, StreamHandler } from "../../src/mux/handlers.ts";
import type { MuxLimits } from "../../src/mux/limits.ts";
import { Session } from "../../src/mux/session.ts";
import { SessionTally } from "../../src/mux/session-tally.ts";
import type { Stream } from "../../src/mux/stream.ts";
import type { Transport } from "../../src/mux/transport.ts";
import type { GoAwayReason, ResetReason } from "../../src/wire/codes.ts";
import type { ControlMessage } from "../../src/wire/control.ts";
import type { OpenExchange, OpenPipe, OpenRequest } from "../../src/wire/open.ts";
import { CountingEvents } from "./counting-events.ts";
import type { PairedTransport, TransportPairOptions } from "./transport-pair.ts";
import { transportPair } from "./transport-pair.ts";
import { until } from "./until.ts";

/** The owner of a stream in tests: hashes what comes, consumes it at once unless told to hold it. */
export class StreamProbe implements StreamHandler {
  stream: Stream | undefined;
  readonly heads: string[] = [];
  trailers = "";
  bytes = 0;
  ended = false;
  opened = false;
  resets: (ResetReason | "session_lost")[] = [];
  writable = 0;
  /** While true nothing is consumed. */
  holds = false;
  owed = 0;
  onBytes: ((chunk: Buffer, end: boolean) => void) | undefined;
  readonly #hash = createHash("sha256");
  #digest = "";
  #resume: (() => void) | undefined;

  /** SHA-256 of all bytes so far; final. */
  get digest(): string {
    if (this.#digest === "") this.#digest = this.#hash.digest("hex");
    return this.#digest;
  }

  /** Ended or cut. */
  get over(): boolean {
    return this.ended || this.resets.length > 0;
  }

  onHead(head: Buffer, end: boolean): void {
    this.heads.push(head.toString("latin1"));
    this.ended ||= end;
  }

  onData(chunk: Buffer, end: boolean): void {
    assert.ok(!this.ended, "bytes behind the end");
    assert.equal(this.resets.length, 0, "bytes behind a reset");
    this.bytes += chunk.length;
    this.#hash.update(chunk);
    this.ended = end;
    this.owed += chunk.length;
    this.onBytes?.(chunk, end);
    if (!this.holds) this.consume();
  }

  onTrailers(trailers: Buffer): void {
    this.trailers = trailers.toString("latin1");
    this.ended = true;
  }

  onReset(reason: ResetReason | "session_lost"): void {
    this.resets.push(reason);
    assert.equal(this.resets.length, 1, "reset twice");
    this.#resume?.();
  }

  onWritable(): void {
    this.writable += 1;
    this.#resume?.();
  }

  onOpened(): void {
    assert.ok(!this.opened, "opened twice");
    this.opened = true;
  }

  /** Reports as consumed what is owed, or `bytes` of it. */
  consume(bytes: number = this.owed): void {
    this.owed -= bytes;
    this.stream?.consumed(bytes);
  }

  /** Sends `chunks`, pausing when asked to, and the end. Answers the SHA-256 of what it was given. */
  async send(chunks: Iterable<Buffer>): Promise<string> {
    const hash = createHash("sha256");
    for (const chunk of chunks) {
      hash.update(chunk);
      if (!this.stream || this.stream.closed) return "";
      if (this.stream.sendData(chunk, "more") || this.stream.closed) continue;
      await new Promise<void>((resolve) => (this.#resume = resolve));
      this.#resume = undefined;
    }
    if (this.stream && !this.stream.closed) this.stream.sendData(Buffer.alloc(0), "end");
    return hash.digest("hex");
  }
}

/** The owner of a session in tests. */
export class SessionProbe implements SessionHandler {
  session: Session | undefined;
  ready = 0;
  readonly controls: ControlMessage[] = [];
  readonly goAways: GoAwayReason[] = [];
  readonly closes: SessionCloseReason[] = [];
  rooms = 0;
  /** Streams that the peer opened. */
  readonly probes: StreamProbe[] = [];
  /** What to do with an OPEN; default: a probe. */
  accept: (stream: Stream, open: OpenRequest) => StreamHandler | ResetReason = (stream) => this.probe(stream);

  probe(stream: Stream): StreamProbe {
    const probe = new StreamProbe();
    probe.stream = stream;
    this.probes.push(probe);
    return probe;
  }

  onReady(): void {
    this.ready += 1;
  }

  onOpen(stream: Stream, open: OpenRequest): StreamHandler | ResetReason {
    return this.accept(stream, open);
  }

  onControl(_: Session, message: ControlMessage): void {
    this.controls.push(message);
  }

  onGoAway(_: Session, reason: GoAwayReason): void {
    this.goAways.push(reason);
  }

  onRoom(): void {
    this.rooms += 1;
  }

  onClosed(_: Session, reason: SessionCloseReason): void {
    assert.equal(this.closes.length, 0, "closed twice");
    this.closes.push(reason);
  }
}

/** One side: a session, its owner and its ledger. */
export class SessionSide {
  readonly events: CountingEvents = new CountingEvents();
  readonly runtime: Runtime = createRuntime(this.events);
  readonly owner: SessionProbe = new SessionProbe();
  readonly session: Session;

  constructor(options: {
    readonly role: "server" | "client";
    readonly transport: Transport;
    readonly limits?: Partial<MuxLimits>;
    readonly budget?: GrowthBudget;
    readonly maxStreams?: number;
  }) {
    const { role, transport, limits = {}, budget, maxStreams = 1024 } = options;
    this.session = new Session({
      role,
      transport,
      runtime: this.runtime,
      handler: this.owner,
      peer: "test",
      hello: { version: "0.0.0", instance: role, maxStreams },
      limits,
      ...(budget ? { budget } : {}),
    });
    this.owner.session = this.session;
  }

  /** Opens a stream with a probe as its owner. */
  open(request: OpenRequest): StreamProbe {
    const probe = new StreamProbe();
    probe.stream = this.session.open(request, probe);
    return probe;
  }

  /** Waits until the session is closed, and proves that it left nothing. `faults`: how many were provoked. */
  async gone(faults = 0): Promise<void> {
    await until(() => this.owner.closes.length === 1, { what: "the session is closed" });
    assert.deepEqual(this.events.outstanding, {});
    assert.equal(
      this.events.faults.length,
      faults,
      JSON.stringify(this.events.faults.map(({ error }) => String(error))),
    );
    assert.equal(this.runtime.deadlines.size, 0);
    assert.equal(this.runtime.deadlines.gapListeners, 0);
    assert.equal(this.session.streamCount, 0);
    assert.equal(this.session._table.held, 0);
    assert.equal(this.session._windows.grownBytes, 0);
    const tally = new SessionTally();
    tally.add(this.session);
    for (const [probe, size] of Object.entries(tally.probes)) assert.equal(size, 0, probe);
    assert.equal(this.session._budget.grantedBytes, 0);
    assert.equal(this.session._budget.unconsumedBytes, 0);
  }
}

/** What a pair is made of. */
export interface SessionPairOptions extends TransportPairOptions {
  readonly limits?: Partial<MuxLimits>;
  readonly clientLimits?: Partial<MuxLimits>;
  readonly budget?: GrowthBudget;
  readonly maxStreams?: number;
}

/** Both sides. */
export interface SessionPair {
  readonly server: SessionSide;
  readonly client: SessionSide;
  /** Ends both, and proves that nothing is left. */
  settle(): Promise<void>;
}

/** A pair in memory, with its transports. */
export interface MemoryPair extends SessionPair {
  readonly serverEnd: PairedTransport;
  readonly clientEnd: PairedTransport;
}

/** Joins two sessions in memory and waits until both are ready. */
export async function sessionPair(options: SessionPairOptions = {}): Promise<MemoryPair> {
  const [serverEnd, clientEnd] = transportPair(options);
  const pair = joinSessions(serverEnd, clientEnd, options);
  await bothReady(pair);
  return { ...pair, serverEnd, clientEnd };
}

/** Two sessions over given transports. */
export function joinSessions(
  serverEnd: Transport,
  clientEnd: Transport,
  options: Omit<SessionPairOptions, keyof TransportPairOptions> = {},
): SessionPair {
  const { limits = {}, clientLimits = limits, budget, maxStreams = 1024 } = options;
  const server = new SessionSide({
    role: "server",
    transport: serverEnd,
    limits,
    maxStreams,
    ...(budget ? { budget } : {}),
  });
  const client = new SessionSide({ role: "client", transport: clientEnd, limits: clientLimits, maxStreams });
  return {
    server,
    client,
    settle: async () => {
      client.session.close("goodbye");
      await server.gone();
      await client.gone();
    },
  };
}

/** Waits until both have greeted. */
export function bothReady({ server, client }: SessionPair): Promise<void> {
  return until(() => server.owner.ready + client.owner.ready === 2, { what: "both sessions are ready" });
}

const getHead = Buffer.from("GET / HTTP/1.1\r\nHost: demo.test\r\n\r\n");

/** An exchange's OPEN; by default a GET without a body. */
export function exchange(options: Partial<Omit<OpenExchange, "kind">> = {}): OpenExchange {
  return {
    kind: "exchange",
    tunnel: 1,
    body: "none",
    headOnly: false,
    idempotent: true,
    upgrade: false,
    expectContinue: false,
    hostAt: 22,
    hostLength: 9,
    head: getHead,
    ...options,
  };
}

/** A pipe's OPEN. */
export function pipeRequest(): OpenPipe {
  return { kind: "pipe", tunnel: 2, visitor: "192.0.2.7" };
}

/** Pseudo-random chunks, the same for the same seed: `total` bytes in pieces of up to `chunkBytes`. */
export function* seededChunks(seed: number, total: number, chunkBytes: number): Generator<Buffer> {
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let left = total; left > 0;) {
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, left));
    for (let at = 0; at < chunk.length; at += 4) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      if (at + 4 <= chunk.length) chunk.writeUInt32LE(state, at);
      else chunk.fill(state & 0xff, at);
    }
    left -= chunk.length;
    yield chunk;
  }
}
