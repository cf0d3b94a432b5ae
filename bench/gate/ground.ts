// What scenarios stand on: the server's address, the processes that play clients and visitors, the origin, and the run's
// randomness. It starts and ends the load side of a run; the server is somebody else's.

import { CaissonError } from "../../src/lifecycle/errors.ts";
import type { ClientOrder } from "./processes/client-orders.ts";
import type { OnStarted } from "./processes/node-process.ts";
import type { Counts } from "./processes/orders.ts";
import type { OriginOrder } from "./processes/origin-worker.ts";
import { readingFlags } from "./processes/server-process.ts";
import type { VisitorOrder } from "./processes/visitor-orders.ts";
import type { WorkerOptions } from "./processes/worker.ts";
import { Worker } from "./processes/worker.ts";
import { SeededRandom } from "./seeded-random.ts";

/** A client worker. */
export type ClientCrew = Worker<ClientOrder>;

/** What a ground is made of. */
export interface GroundOptions {
  /** The server's URL, `http://host:port`. */
  readonly serverUrl: string;
  /** The domain below which tunnels have their names. */
  readonly domain: string;
  /** What clients log in with; nothing if absent. */
  readonly token: string | undefined;
  readonly seed: number;
  /** What tunnel names begin with. */
  readonly prefix: string;
  /** Client connects per second at most; unlimited if absent. */
  readonly rate: number | undefined;
  /** V8 flags of the long-lived client process, which is measured. Others are thrown away soon, and cheaper without. */
  readonly measuredFlags: readonly string[];
  /** A module that all client processes load first, as `--import` takes it. */
  readonly importFirst: string | undefined;
  /** Hears of every process of the load side, also of those that are ended before the run is. */
  readonly onStarted: OnStarted;
}

/** Nothing listens there: the port of the TCP multiplexer service, which no system has run for decades. */
const deadPort = 1;

/** The load side of a run. */
export class Ground {
  readonly random: SeededRandom;
  readonly visitors: Worker<VisitorOrder>;
  /** The long-lived client process. */
  readonly crew: ClientCrew;
  /** The target of tunnels. */
  readonly target: string;
  /** A target that refuses connections. */
  readonly deadTarget: string = `127.0.0.1:${deadPort}`;
  /** Names of clients that stay when a round fails. */
  readonly kept: Set<string> = new Set();
  readonly #options: GroundOptions;
  readonly #origin: Worker<OriginOrder>;
  readonly #prefix: string;
  #names = 0;
  #lost: ClientCrew | undefined;

  private constructor(
    options: GroundOptions,
    workers: {
      readonly origin: Worker<OriginOrder>;
      readonly visitors: Worker<VisitorOrder>;
      readonly crew: ClientCrew;
      readonly originPort: number;
    },
  ) {
    this.#options = options;
    this.random = new SeededRandom(options.seed);
    this.#origin = workers.origin;
    this.visitors = workers.visitors;
    this.crew = workers.crew;
    this.target = `127.0.0.1:${workers.originPort}`;
    this.#prefix = options.prefix;
  }

  /** Starts the processes. Rejects with E_GATE. */
  static async start(options: GroundOptions): Promise<Ground> {
    const { onStarted } = options;
    const origin = new Worker<OriginOrder>({ script: "./origin-worker.js", title: "the origin", onStarted });
    const visitors = new Worker<VisitorOrder>({ script: "./visitor-worker.js", title: "the visitors", onStarted });
    const worker = clientWorker(options);
    const crew = new Worker<ClientOrder>({
      ...worker,
      onStarted,
      nodeFlags: [...options.measuredFlags, ...readingFlags, ...(worker.nodeFlags ?? [])],
    });
    try {
      const { port: originPort = 0 } = await origin.ask({ do: "listen" });
      return new Ground(options, { origin, visitors, crew, originPort });
    } catch (error) {
      await Promise.all([origin, visitors, crew].map((started) => started.process.kill()));
      throw error;
    }
  }

  /** The server's address, as sockets take it, and its port. */
  get #place(): { readonly address: string; readonly port: number } {
    const { hostname, port } = new URL(this.#options.serverUrl);
    return { address: hostname.replaceAll(/[[\]]/gu, ""), port: port === "" ? 80 : Number(port) };
  }

  /** What every login says. */
  get #login(): { readonly server: string; readonly token?: string } {
    const { token } = this.#options;
    return { server: this.server, ...(token !== undefined && { token }) };
  }

  /** Where clients connect. */
  get server(): string {
    return this.#options.serverUrl.replace(/^http/u, "ws").replace(/\/$/u, "");
  }

  /** Fresh tunnel names, the same for the same seed and order. */
  names(count: number): string[] {
    return Array.from({ length: count }, () => {
      this.#names += 1;
      return `${this.#prefix}-${this.#names.toString(36)}-${this.random.below(36 ** 4).toString(36)}`;
    });
  }

  /** The Host of a tunnel. */
  hostsOf(names: readonly string[]): string[] {
    return names.map((name) => `${name}.${this.#options.domain}`);
  }

  /** Connects clients in the long-lived process, or in another. */
  async connect(
    names: readonly string[],
    how: { readonly crew?: ClientCrew; readonly relay?: string; readonly target?: string } = {},
  ): Promise<void> {
    const { crew = this.crew, relay, target = this.target } = how;
    const perSecond = this.#options.rate;
    await crew.ask({
      do: "connect",
      names,
      ...this.#login,
      target,
      ...(relay !== undefined && { relay }),
      ...(perSecond !== undefined && { perSecond }),
    });
  }

  /** Connects another client under each name, which must end the first one. */
  async takeOver(names: readonly string[]): Promise<void> {
    await this.crew.ask({ do: "takeOver", names, ...this.#login, target: this.target });
  }

  /** Ends clients of the long-lived process: with a goodbye, or at once. */
  async disconnect(names: readonly string[], { force = false }: { readonly force?: boolean } = {}): Promise<void> {
    await this.crew.ask({ do: "disconnect", names, force });
  }

  /** Sends visitors to these tunnels; the order says what they do there. */
  async visit(names: readonly string[], order: VisitPlan): Promise<Counts> {
    return this.visitors.ask({ ...order, ...this.#place, hosts: this.hostsOf(names) });
  }

  /** Starts one more client process, to be ended by the scenario. */
  startCrew(title = "a client process that will be killed"): ClientCrew {
    const { onStarted } = this.#options;
    return new Worker<ClientOrder>({ ...clientWorker(this.#options), title, onStarted });
  }

  /** The client process whose links die: what it must hold for ever is in no measurement of the others. */
  get lostCrew(): ClientCrew {
    this.#lost ??= this.startCrew("the client process whose links die");
    return this.#lost;
  }

  /** After something failed: throws away all clients but the kept ones, so that the next round begins afresh. */
  async clear(): Promise<void> {
    const but = [...this.kept];
    for (const crew of [this.crew, this.#lost]) await crew?.ask({ do: "disconnectAll", but });
  }

  /** Throws E_GATE if one of the processes died by itself. */
  check(): void {
    for (const worker of [this.#origin, this.visitors, this.crew, this.#lost]) {
      const process = worker?.process;
      if (process?.died === true) throw new CaissonError("E_GATE", process.failure().message);
    }
  }

  /** Ends all processes. */
  async stop(): Promise<void> {
    await Promise.all(
      [this.#lost, this.crew, this.visitors, this.#origin].map(async (worker) => worker?.process.kill()),
    );
  }
}

/** An order for visitors without the place. */
export type VisitPlan = VisitorOrder extends infer Order
  ? Order extends unknown
    ? Omit<Order, "address" | "port" | "hosts">
    : never
  : never;

function clientWorker({ importFirst }: GroundOptions): WorkerOptions {
  const nodeFlags = importFirst === undefined ? [] : ["--import", importFirst];
  return { script: "./client-worker.js", title: "the client process", nodeFlags };
}
