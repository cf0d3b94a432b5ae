// Many clients in one process. They are what `caisson http` runs, without a terminal, and hear nothing but when their
// tunnels stand: when each stood again after a loss is kept, on the clock that all processes of the machine share.

import { TunnelClient } from "../../src/client/tunnel-client.ts";
import type { ClientObserver, TunnelFacts } from "../../src/client/observer.ts";
import { noObserver } from "../../src/client/observer.ts";
import { noEvents } from "../../src/lifecycle/events.ts";
import type { Runtime } from "../../src/lifecycle/runtime.ts";
import { createRuntime } from "../../src/lifecycle/runtime.ts";
import type { MuxLimits } from "../../src/mux/limits.ts";

/** Clients that connect at the same time while a crowd gathers. */
const atOnce = 50;
/** Sessions of these stay silent: what they would say is not what is measured. */
const silent: Partial<MuxLimits> = { pingMs: 600_000, deadAfterMs: 1_800_000 };

/** Who comes. */
export interface CrowdOptions {
  readonly server: string;
  /** The port of the target. */
  readonly target: number;
  readonly sessions: number;
  readonly tunnelsEach: number;
  /** `usual`: they ping as clients do by default. Default `silent`. */
  readonly keepAlive?: "silent" | "usual";
}

/** What became of the tunnels of a crowd. */
export interface CrowdState {
  readonly tunnels: number;
  /** Tunnels that stand now. */
  readonly standing: number;
  /** When a tunnel stood again after a loss, in milliseconds of the machine's monotonic clock, in the order they did. */
  readonly returnedAtMs: readonly number[];
  /** Of those, the ones that came back under another name. */
  readonly renamed: number;
  /** Reasons of losses and failed attempts, with how often each came. */
  readonly troubles: Readonly<Record<string, number>>;
}

/** Milliseconds of the clock that all processes of this machine share. */
export function machineMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

/** The clients of this process. */
export class Crowd {
  readonly #runtime: Runtime = createRuntime(noEvents);
  readonly #observer: ClientObserver;
  #clients: TunnelClient[] = [];
  #tunnels = 0;
  #returnedAtMs: number[] = [];
  #renamed = 0;
  readonly #troubles: Map<string, number> = new Map();

  constructor() {
    this.#observer = {
      ...noObserver,
      tunnel: (facts) => this.#onTunnel(facts),
      disconnected: ({ reason }) => void this.#troubles.set(reason, (this.#troubles.get(reason) ?? 0) + 1),
    };
  }

  /** Connects them; resolves with the number of all tunnels when each stands. Rejects when one is refused. */
  async gather(options: CrowdOptions): Promise<number> {
    for (let made = 0; made < options.sessions; made += atOnce) {
      const count = Math.min(atOnce, options.sessions - made);
      await Promise.all(Array.from({ length: count }, async () => this.#add(options)));
    }
    return this.#tunnels;
  }

  /** How they stand. */
  state(): CrowdState {
    const standing = this.#clients.reduce((sum, client) => sum + client.tunnels().length, 0);
    return {
      tunnels: this.#tunnels,
      standing,
      returnedAtMs: this.#returnedAtMs,
      renamed: this.#renamed,
      troubles: Object.fromEntries(this.#troubles),
    };
  }

  /** All say goodbye; resolves when they are gone. */
  async disperse(): Promise<void> {
    const leaving = this.#clients;
    this.#clients = [];
    this.#tunnels = 0;
    await Promise.all(leaving.map((client) => client.close()));
  }

  async #add({ server, target, tunnelsEach, keepAlive = "silent" }: CrowdOptions): Promise<void> {
    const client = new TunnelClient({
      runtime: this.#runtime,
      version: "0.0.0",
      servers: [server],
      tunnels: Array.from({ length: tunnelsEach }, () => ({ kind: "http", target: String(target) })),
      muxLimits: keepAlive === "usual" ? {} : silent,
      observer: this.#observer,
    });
    this.#clients.push(client);
    this.#tunnels += tunnelsEach;
    await client.start();
  }

  #onTunnel({ standing }: TunnelFacts): void {
    if (standing === "first") return;
    if (standing === "renamed") this.#renamed += 1;
    this.#returnedAtMs.push(machineMs());
  }
}
