// A peer in bench:idle: its server, watched through what that tells of itself, and its clients, which are programs. They come
// a few at a time and go together.

import { setTimeout as delay } from "node:timers/promises";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import type { Program } from "../harness/program.ts";
import type { IdleServer } from "./contestant.ts";

/** What an adapter offers of a server that listens. */
export interface IdlePeerParts {
  readonly server: Program;
  /** Starts clients for so many tunnels, one after the other as they are asked for. */
  readonly clients: (tunnels: number) => Iterable<Program>;
  /** How many tunnels stand, as the server tells. */
  readonly standing: () => Promise<number>;
  /** Collects garbage; answers the bytes of heap in use after it. */
  readonly collectGarbage: () => Promise<number | undefined>;
  /** Removes what it keeps in files. */
  readonly release: () => Promise<void>;
}

/** How long all tunnels may take to come or go, and how often the server is asked, in milliseconds. */
const patienceMs = 180_000;
const askMs = 100;
/** Clients that are started at a time, and the pause after them, in milliseconds: else a machine of two processors stands. */
const atATime = 10;
const pauseMs = 200;

/** A running peer. */
export class IdlePeer implements IdleServer {
  readonly #parts: IdlePeerParts;
  readonly #clients: Program[] = [];

  constructor(parts: IdlePeerParts) {
    this.#parts = parts;
  }

  get pid(): number {
    return this.#parts.server.pid;
  }

  async gather(tunnels: number): Promise<void> {
    for (const client of this.#parts.clients(tunnels)) {
      this.#clients.push(client);
      if (this.#clients.length % atATime === 0) await delay(pauseMs);
    }
    await this.#stands(tunnels);
  }

  async disperse(): Promise<void> {
    await this.#endClients();
    await this.#stands(0);
  }

  async collectGarbage(): Promise<number | undefined> {
    return await this.#parts.collectGarbage();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#endClients();
    await this.#parts.release();
  }

  async #endClients(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map(async (client) => client[Symbol.asyncDispose]()));
  }

  async #stands(tunnels: number): Promise<void> {
    const untilMs = performance.now() + patienceMs;
    for (;;) {
      const standing = await this.#parts.standing();
      if (standing === tunnels) return;
      if (performance.now() > untilMs) throw new CaissonError("E_GATE", `${standing} tunnels stand, not ${tunnels}`);
      await delay(askMs);
    }
  }
}

/** The body of an answer of 200. Rejects with E_GATE for anything else. */
export async function told(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(patienceMs) });
  const text = await response.text();
  if (response.status !== 200) throw new CaissonError("E_GATE", `${url} answered ${response.status}`);
  return text;
}

/** For servers in Go with its profiler switched on: a collection, and the bytes of heap in use after it. */
export async function collectedInGo(profiler: string): Promise<number | undefined> {
  const found = /^# HeapAlloc = (\d+)$/mu.exec(await told(`${profiler}/debug/pprof/heap?gc=1&debug=1`))?.[1];
  return found === undefined ? undefined : Number(found);
}
