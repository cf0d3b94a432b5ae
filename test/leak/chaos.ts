// A model-based storm: random connects, requests, pipes, aborts, deaths, half-open links, cuts and replacements against one
// server, from a seed. At every quiescent point the conservation law must hold: opened = closed + live for each kind,
// and what containers hold is what is live.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CaissonClient, ClientOptions } from "../../src/assemble/connect.ts";
import type { CaissonServer, ServeOptions } from "../../src/assemble/serve.ts";
import { serve } from "../../src/assemble/serve.ts";
import { Ledger } from "../../src/leaks/ledger.ts";
import type { ResourceKind } from "../../src/lifecycle/resource.ts";
import { resourceKinds } from "../../src/lifecycle/resource.ts";
import { SeededRandom } from "../../bench/gate/seeded-random.ts";
import { testCertificate, testKey } from "../support/certificate.ts";
import { firstHello } from "../support/first-hello.ts";
import { until } from "../support/until.ts";
import type { Operation } from "./chaos-plan.ts";
import { nextOperation } from "./chaos-plan.ts";
import { Slot } from "./chaos-slot.ts";
import { rudeByte, StormTargets } from "./chaos-target.ts";
import type { Conversation } from "./chaos-visits.ts";
import { converse, upgradeTo, visit } from "./chaos-visits.ts";

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
  readonly connect?: Partial<ClientOptions>;
  /** Hears of both sides as soon as there is a server; the clients come and go. */
  readonly onStart?: (sides: ChaosSides) => void;
}

/** The two sides of a storm. */
export interface ChaosSides {
  readonly server: CaissonServer;
  /** The clients that are connected now. */
  clients(): readonly CaissonClient[];
}

/** What a storm did. */
export interface ChaosResult {
  /** Operations by name. */
  readonly counts: Readonly<Record<string, number>>;
  readonly quietPoints: number;
  /** Requests that were answered completely. */
  readonly answered: number;
  /** Conversations over pipes in which everything came back. */
  readonly echoed: number;
  /** Clients that were driven out by another instance. */
  readonly replaced: number;
}

const slotCount = 8;
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
const someBody = Buffer.alloc(200_000, 2);
const somePayload = Buffer.alloc(100_000, 3);
const rudeOpening = Buffer.from([rudeByte]);
const transient: readonly ResourceKind[] = ["exchange", "stream", "pipe", "visitor_socket"];

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
    const { counts, answered, echoed, replaced } = storm;
    return { counts, quietPoints, answered, echoed, replaced };
  } finally {
    await storm.close();
  }
}

interface StormParts {
  readonly random: SeededRandom;
  readonly server: CaissonServer;
  readonly ledger: Ledger;
  readonly targets: StormTargets;
  readonly slots: readonly Slot[];
  /** The ClientHello of a visitor of each slot. */
  readonly hellos: readonly Buffer[];
  readonly faults: readonly unknown[];
  /** Where the server's certificate is. */
  readonly folder: string;
}

class Storm implements ChaosSides {
  readonly counts: Record<string, number> = {};
  answered = 0;
  echoed = 0;
  readonly #parts: StormParts;

  private constructor(parts: StormParts) {
    this.#parts = parts;
  }

  static async start({ seed, serve: serveOptions, connect = {} }: ChaosOptions): Promise<Storm> {
    const faults: unknown[] = [];
    const ledger = new Ledger();
    ledger.faulted = (where, error) => void faults.push({ where, error });
    const folder = await mkdtemp(join(tmpdir(), "caisson-storm-"));
    const tls = [{ cert: join(folder, "cert.pem"), key: join(folder, "key.pem") }];
    await writeFile(join(folder, "cert.pem"), testCertificate);
    await writeFile(join(folder, "key.pem"), testKey);
    const server = await serve({
      listen: "127.0.0.1:0",
      listenTls: "127.0.0.1:0",
      tls,
      tcpPorts: "21500-21599",
      limits,
      subscribers: [ledger],
      ...serveOptions,
    });
    const targets = await StormTargets.start();
    const slots: Slot[] = [];
    const hellos: Buffer[] = [];
    for (let number = 0; number < slotCount; number += 1) {
      const slot = await Slot.start({
        number,
        serverPort: portOf(server.url),
        targets,
        connect,
        faulted: ledger.faulted,
      });
      slots.push(slot);
      hellos.push(await firstHello({ servername: slot.secureName }));
    }
    return new Storm({ random: new SeededRandom(seed), server, ledger, targets, slots, hellos, faults, folder });
  }

  get server(): CaissonServer {
    return this.#parts.server;
  }

  get replaced(): number {
    return this.#parts.slots.reduce((sum, slot) => sum + slot.replaced, 0);
  }

  clients(): readonly CaissonClient[] {
    return this.#parts.slots.flatMap(({ clients }) => Array.from(clients));
  }

  /** Runs so many random operations, some at the same time. */
  async blow(operations: number): Promise<void> {
    const { random } = this.#parts;
    const running = new Set<Promise<void>>();
    for (let n = 0; n < operations; n += 1) {
      const operation = nextOperation(random, slotCount);
      this.counts[operation.name] = (this.counts[operation.name] ?? 0) + 1;
      const run: Promise<void> = this.#run(operation).finally(() => running.delete(run));
      running.add(run);
      if (running.size >= concurrency) await Promise.race(running);
    }
    await Promise.all(running);
  }

  /** Waits for quiet, then holds the ledgers against the containers. */
  async settle(): Promise<void> {
    const { slots, ledger, faults } = this.#parts;
    for (const slot of slots) slot.relay.thaw();
    const balanced = (): boolean =>
      transient.every((kind) => ledger.live(kind) === 0) &&
      this.#imbalance().length === 0 &&
      slots.every(
        (slot) =>
          // Of two clients that want the same names, one is going to be driven out.
          slot.clients.size <= 1 &&
          slot.ledger.live("exchange") + slot.ledger.live("stream") + slot.ledger.live("pipe") === 0 &&
          slot.imbalance.length === 0,
      );
    await until(balanced, { what: "the storm has settled", timeoutMs: 30_000, detail: () => this.#state() });
    assert.deepEqual(faults, []);
  }

  /** Ends everything; every ledger must read zero. */
  async close(): Promise<void> {
    const { slots, server, ledger, targets, folder } = this.#parts;
    for (const slot of slots) await slot.close({ force: true });
    await server.close({ force: true });
    for (const slot of slots) await slot.end();
    await targets.close();
    await rm(folder, { recursive: true });
    assert.deepEqual(ledger.outstanding, {}, "the server's ledger");
    for (const slot of slots) assert.deepEqual(slot.ledger.outstanding, {}, "a client's ledger");
  }

  async #run({ name, slot: number, amount }: Operation): Promise<void> {
    const slot = this.#slot(number);
    switch (name) {
      case "connect":
        return slot.connect();
      case "close":
        return slot.close({ force: false });
      case "force_close":
        return slot.close({ force: true });
      case "die":
        return slot.die();
      case "replace":
        return slot.replace();
      case "cut":
        return slot.relay.cut();
      case "cut_later":
        return slot.relay.cutAfter(Math.floor(amount * 20_000));
      case "freeze":
        return slot.freeze();
      case "get":
        return this.#visit(slot, { path: "/" });
      case "large":
        return this.#visit(slot, { path: "/large" });
      case "upload":
        return this.#visit(slot, { path: "/upload", body: someBody });
      case "early":
        return this.#visit(slot, { path: "/early", body: someBody });
      case "target_reset":
        return this.#visit(slot, { path: "/reset" });
      case "target_cut":
        return this.#visit(slot, { path: "/half" });
      case "abort_before":
        return this.#visit(slot, { path: "/large", leaveAfterBytes: 0 });
      case "abort_within":
        return this.#visit(slot, { path: "/large", leaveAfterBytes: 1 + Math.floor(amount * 200_000) });
      case "abort_upload":
        return this.#visit(slot, { path: "/upload", body: someBody, leaveAfterBytes: 0 });
      case "websocket":
        return this.#converse({ ...this.#websocket(slot, "/"), payload: somePayload });
      case "websocket_abort":
        return this.#converse({ ...this.#websocket(slot, "/"), ...leaving(amount) });
      case "websocket_cut":
        return this.#converse({ ...this.#websocket(slot, "/cut"), payload: somePayload });
      case "tcp":
        return this.#converse({ port: slot.rawPort, payload: somePayload });
      case "tcp_abort":
        return this.#converse({ port: slot.rawPort, ...leaving(amount) });
      case "tcp_cut":
        return this.#converse({ port: slot.rawPort, opening: rudeOpening, payload: somePayload });
      case "tls":
        return this.#converse({ ...this.#tls(number), payload: somePayload });
      case "tls_abort":
        return this.#converse({ ...this.#tls(number), ...leaving(amount) });
      default:
        return name satisfies never;
    }
  }

  async #visit(slot: Slot, options: { path: string; body?: Buffer; leaveAfterBytes?: number }): Promise<void> {
    const answered = await visit({ port: portOf(this.server.url), host: `${slot.name}.localhost`, ...options });
    if (answered) this.answered += 1;
  }

  async #converse(conversation: Conversation): Promise<void> {
    // A slot that never had a client has no public port yet.
    if (conversation.port !== 0 && (await converse(conversation))) this.echoed += 1;
  }

  #websocket(slot: Slot, path: string): { readonly port: number; readonly opening: Buffer } {
    return { port: portOf(this.server.url), opening: upgradeTo(`${slot.name}.localhost`, path) };
  }

  #tls(number: number): { readonly port: number; readonly opening: Buffer } {
    return { port: portOf(this.server.tlsUrl), opening: this.#parts.hellos[number] ?? Buffer.alloc(0) };
  }

  #slot(number: number): Slot {
    const slot = this.#parts.slots[number];
    if (!slot) throw new Error(`there is no slot ${number}`);
    return slot;
  }

  /** Kinds whose container does not hold what the ledger says is live. */
  #imbalance(): ResourceKind[] {
    const { held } = this.server.inventory();
    return resourceKinds.filter((kind) => held[kind] !== undefined && held[kind] !== this.#parts.ledger.live(kind));
  }

  #state(): unknown {
    return {
      server: this.#parts.ledger.outstanding,
      held: this.server.inventory(),
      clients: this.#parts.slots.map(({ ledger, clients, imbalance }) => ({
        ledger: ledger.outstanding,
        held: Array.from(clients, (client) => client.inventory().held),
        imbalance,
      })),
    };
  }
}

/** A visitor that resets a pipe in the middle. */
function leaving(amount: number): { readonly payload: Buffer; readonly leaveAfterBytes: number } {
  return { payload: somePayload, leaveAfterBytes: Math.floor(amount * somePayload.length) };
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
