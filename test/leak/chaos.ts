// A model-based storm: random connects, requests, aborts, kills, half-open links, cuts and replacements against one
// server, from a seed. At every quiescent point the conservation law must hold: opened = closed + live for each kind,
// and what containers hold is what is live.

import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request } from "node:http";
import type { AddressInfo, Server, Socket } from "node:net";
import type { CaissonTunnel, ConnectOptions } from "../../src/assemble/connect.ts";
import { connect } from "../../src/assemble/connect.ts";
import type { CaissonServer, ServeOptions } from "../../src/assemble/serve.ts";
import { serve } from "../../src/assemble/serve.ts";
import { Ledger } from "../../src/leaks/ledger.ts";
import type { Inventory, ResourceKind } from "../../src/lifecycle/resource.ts";
import { resourceKinds } from "../../src/lifecycle/resource.ts";
import { Relay } from "../../bench/gate/network/relay.ts";
import { SeededRandom } from "../../bench/gate/seeded-random.ts";
import { until } from "../support/until.ts";

/** How much, and which. */
export interface ChaosOptions {
  readonly seed: number;
  readonly operations: number;
  /** Operations between two quiescent points. Default 500. */
  readonly between?: number;
  /** Hears of each quiescent point; the storm goes on when it has looked. */
  readonly onQuiet?: (done: number, sides: ChaosSides) => void | Promise<void>;
  /** Added to the options of the server, and of every client. */
  readonly serve?: ServeOptions;
  readonly connect?: Partial<ConnectOptions>;
  /** Hears of both sides as soon as there is a server; the clients come and go. */
  readonly onStart?: (sides: ChaosSides) => void;
}

/** The two sides of a storm. */
export interface ChaosSides {
  readonly server: CaissonServer;
  /** The clients that are connected now. */
  tunnels(): readonly CaissonTunnel[];
}

/** What a storm did. */
export interface ChaosResult {
  /** Operations by name. */
  readonly counts: Readonly<Record<string, number>>;
  readonly quietPoints: number;
  /** Requests that were answered completely. */
  readonly answered: number;
}

const slots = 8;
const concurrency = 24;
const limits = {
  pingMs: 300,
  deadAfterMs: 900,
  probeMs: 500,
  closeTimeoutMs: 500,
  resetAnswerMs: 2_000,
  nameHoldMs: 400,
  nameWaitMs: 300,
  lingerMs: 200,
  requestIdleMs: 3_000,
  responseIdleMs: 3_000,
  maxVisitorsPerAddress: 10_000,
  maxAborts: 1_000_000,
};

/** One client behind a relay of its own. */
interface Slot {
  readonly name: string;
  readonly ledger: Ledger;
  relay: Relay;
  tunnel: CaissonTunnel | undefined;
  busy: boolean;
}

type Operation = (storm: Storm) => Promise<void>;

/** Runs a storm; throws (an AssertionError) where the law is broken. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const storm = await Storm.start(options);
  try {
    options.onStart?.(storm);
    const between = options.between ?? 500;
    let quietPoints = 0;
    for (let done = 0; done < options.operations; done += between) {
      await storm.blow(Math.min(between, options.operations - done));
      await storm.settle();
      quietPoints += 1;
      await options.onQuiet?.(Math.min(done + between, options.operations), storm);
    }
    return { counts: storm.counts, quietPoints, answered: storm.answered };
  } finally {
    await storm.close();
  }
}

class Storm implements ChaosSides {
  readonly counts: Record<string, number> = {};
  answered = 0;
  readonly random: SeededRandom;
  readonly server: CaissonServer;
  readonly connectOptions: Partial<ConnectOptions>;
  readonly #ledger: Ledger;
  readonly #target: Server;
  readonly #targetSockets: Set<Socket>;
  readonly #slots: Slot[];
  readonly #faults: unknown[];

  private constructor(parts: {
    random: SeededRandom;
    server: CaissonServer;
    connectOptions: Partial<ConnectOptions>;
    ledger: Ledger;
    target: Server;
    targetSockets: Set<Socket>;
    slots: Slot[];
    faults: unknown[];
  }) {
    this.random = parts.random;
    this.server = parts.server;
    this.connectOptions = parts.connectOptions;
    this.#ledger = parts.ledger;
    this.#target = parts.target;
    this.#targetSockets = parts.targetSockets;
    this.#slots = parts.slots;
    this.#faults = parts.faults;
  }

  static async start({ seed, serve: serveOptions, connect: connectOptions = {} }: ChaosOptions): Promise<Storm> {
    const faults: unknown[] = [];
    const ledger = new Ledger();
    ledger.faulted = (where, error) => void faults.push({ where, error });
    const server = await serve({ listen: "127.0.0.1:0", limits, subscribers: [ledger], ...serveOptions });
    const targetSockets = new Set<Socket>();
    const target = createServer(answer);
    target.on("connection", (socket: Socket) => {
      targetSockets.add(socket);
      socket.once("close", () => targetSockets.delete(socket));
    });
    await new Promise<void>((resolve) => void target.listen(0, "127.0.0.1", resolve));
    const port = Number(new URL(server.url).port);
    const made: Slot[] = [];
    for (let n = 0; n < slots; n += 1) {
      const clientLedger = new Ledger();
      clientLedger.faulted = ledger.faulted;
      made.push({
        name: `storm-${n}`,
        ledger: clientLedger,
        relay: await Relay.start({ port }),
        tunnel: undefined,
        busy: false,
      });
    }
    const random = new SeededRandom(seed);
    return new Storm({ random, server, connectOptions, ledger, target, targetSockets, slots: made, faults });
  }

  tunnels(): readonly CaissonTunnel[] {
    return this.#slots.flatMap(({ tunnel }) => tunnel ?? []);
  }

  get port(): number {
    return Number(new URL(this.server.url).port);
  }

  get targetPort(): number {
    return (this.#target.address() as AddressInfo).port;
  }

  /** Runs so many random operations, some at the same time. */
  async blow(operations: number): Promise<void> {
    const running = new Set<Promise<void>>();
    for (let n = 0; n < operations; n += 1) {
      const [name, operation] = this.#choose();
      this.counts[name] = (this.counts[name] ?? 0) + 1;
      const run: Promise<void> = operation(this).finally(() => running.delete(run));
      running.add(run);
      if (running.size >= concurrency) await Promise.race(running);
    }
    await Promise.all(running);
  }

  /** Waits for quiet, then holds the ledgers against the containers. */
  async settle(): Promise<void> {
    for (const slot of this.#slots) slot.relay.thaw();
    const transient: readonly ResourceKind[] = ["exchange", "stream", "pipe", "visitor_socket"];
    const balanced = (): boolean =>
      transient.every((kind) => this.#ledger.live(kind) === 0) &&
      this.#imbalance(this.#ledger, this.server.inventory()).length === 0 &&
      this.#slots.every(
        ({ ledger, tunnel }) =>
          ledger.live("exchange") + ledger.live("stream") + ledger.live("pipe") === 0 &&
          (tunnel === undefined || this.#imbalance(ledger, tunnel.inventory()).length === 0),
      );
    await until(balanced, { what: "the storm has settled", timeoutMs: 30_000, detail: () => this.#state() });
    assert.deepEqual(this.#faults, []);
  }

  /** Ends everything; every ledger must read zero. */
  async close(): Promise<void> {
    for (const slot of this.#slots) await slot.tunnel?.close({ force: true });
    await this.server.close({ force: true });
    for (const slot of this.#slots) await slot.relay.close();
    const closed = new Promise<void>((resolve) => void this.#target.close(() => resolve()));
    for (const socket of this.#targetSockets) socket.destroy();
    await closed;
    assert.deepEqual(this.#ledger.outstanding, {}, "the server's ledger");
    for (const { ledger } of this.#slots) assert.deepEqual(ledger.outstanding, {}, "a client's ledger");
  }

  /** A slot that no other operation is changing. */
  idleSlot(): Slot | undefined {
    const idle = this.#slots.filter(({ busy }) => !busy);
    return idle.length === 0 ? undefined : this.random.pick(idle);
  }

  /** Some slot, whatever becomes of it. */
  anySlot(): Slot {
    return this.random.pick(this.#slots);
  }

  #choose(): readonly [string, Operation] {
    let ticket = this.random.below(totalWeight);
    for (const [name, weight, operation] of operationTable) {
      ticket -= weight;
      if (ticket < 0) return [name, operation];
    }
    throw new Error("the weights do not add up");
  }

  /** Kinds whose container does not hold what the ledger says is live. */
  #imbalance(ledger: Ledger, { held }: Inventory): string[] {
    return resourceKinds.filter((kind) => held[kind] !== undefined && held[kind] !== ledger.live(kind));
  }

  #state(): unknown {
    return {
      server: this.#ledger.outstanding,
      held: this.server.inventory(),
      clients: this.#slots.map(({ ledger, tunnel }) => ({
        ledger: ledger.outstanding,
        held: tunnel?.inventory().held,
      })),
    };
  }
}

async function connectSlot(storm: Storm): Promise<void> {
  const slot = storm.idleSlot();
  if (!slot || slot.tunnel) return;
  slot.busy = true;
  try {
    slot.tunnel = await connect({
      server: `ws://127.0.0.1:${slot.relay.port}`,
      target: storm.targetPort,
      name: slot.name,
      subscribers: [slot.ledger],
      limits: { ...clientLimits },
      ...storm.connectOptions,
    });
  } catch {
    slot.tunnel = undefined; // The name may be held, or the relay may have been cut: both are part of the storm.
  } finally {
    slot.busy = false;
  }
}

const clientLimits = {
  pingMs: 300,
  deadAfterMs: 900,
  probeMs: 500,
  closeTimeoutMs: 500,
  firstConnectMs: 1_500,
  drainMs: 500,
  dialMs: 1_000,
};

async function closeSlot(storm: Storm, force: boolean): Promise<void> {
  const slot = storm.idleSlot();
  if (!slot?.tunnel) return;
  slot.busy = true;
  const { tunnel } = slot;
  await tunnel.close({ force });
  slot.tunnel = undefined;
  slot.busy = false;
}

/** One request; `leaveAfterBytes` aborts it when so many body bytes came (0: before the head). */
function visit(storm: Storm, options: { path: string; body?: Buffer; leaveAfterBytes?: number }): Promise<void> {
  const { path, body, leaveAfterBytes } = options;
  const host = `${storm.anySlot().name}.localhost`;
  return new Promise((resolve) => {
    const sent = request({
      host: "127.0.0.1",
      port: storm.port,
      path,
      method: body ? "POST" : "GET",
      headers: { host },
      agent: false,
    });
    sent.on("error", () => resolve());
    sent.on("close", () => resolve());
    sent.on("response", (response: IncomingMessage) => {
      let received = 0;
      response.on("data", (chunk: Buffer) => {
        received += chunk.length;
        if (leaveAfterBytes !== undefined && received > leaveAfterBytes) sent.destroy();
      });
      response.on("error", () => resolve());
      response.on("end", () => {
        storm.answered += 1;
      });
    });
    sent.end(body);
    if (leaveAfterBytes === 0) setImmediate(() => sent.destroy());
  });
}

/** The target: what it does is in the path. */
function answer(incoming: IncomingMessage, response: ServerResponse): void {
  incoming.on("error", () => undefined);
  response.on("error", () => undefined);
  switch (incoming.url) {
    case "/large":
      incoming.resume();
      response.end(Buffer.alloc(300_000, 1));
      return;
    case "/upload":
      incoming.on("end", () => response.end("taken"));
      incoming.resume();
      return;
    case "/reset":
      incoming.socket.resetAndDestroy();
      return;
    case "/half":
      response.writeHead(200, { "Content-Length": 100_000 });
      response.write(Buffer.alloc(10_000), () => incoming.socket.resetAndDestroy());
      return;
    case "/early":
      response.writeHead(413, { "Content-Length": 2 }).end("no");
      return;
    default:
      incoming.resume();
      response.end("ok");
  }
}

const someBody = Buffer.alloc(200_000, 2);

/** Name, weight, what it does. */
const operationTable: readonly (readonly [string, number, Operation])[] = [
  ["connect", 10, connectSlot],
  ["close", 2, (storm) => closeSlot(storm, false)],
  ["force_close", 2, (storm) => closeSlot(storm, true)],
  ["cut", 2, async (storm) => storm.anySlot().relay.cut()],
  ["cut_later", 2, async (storm) => storm.anySlot().relay.cutAfter(storm.random.below(20_000))],
  ["freeze", 1, async (storm) => freeze(storm.anySlot())],
  ["get", 40, (storm) => visit(storm, { path: "/" })],
  ["large", 8, (storm) => visit(storm, { path: "/large" })],
  ["upload", 8, (storm) => visit(storm, { path: "/upload", body: someBody })],
  ["early", 4, (storm) => visit(storm, { path: "/early", body: someBody })],
  ["target_reset", 4, (storm) => visit(storm, { path: "/reset" })],
  ["target_cut", 4, (storm) => visit(storm, { path: "/half" })],
  ["abort_before", 6, (storm) => visit(storm, { path: "/large", leaveAfterBytes: 0 })],
  ["abort_within", 6, (storm) => visit(storm, { path: "/large", leaveAfterBytes: storm.random.below(200_000) + 1 })],
  ["abort_upload", 4, (storm) => visit(storm, { path: "/upload", body: someBody, leaveAfterBytes: 0 })],
];

const totalWeight = operationTable.reduce((sum, [, weight]) => sum + weight, 0);

/** A link that keeps its sockets and forwards nothing; new connections work again at once. */
function freeze(slot: Slot): void {
  slot.relay.freeze();
  slot.relay.thaw();
}
