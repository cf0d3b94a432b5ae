// One place in a storm: a relay, and the clients behind it that want the same three names. Usually there is one; while one
// replaces another there are two. Changes of a slot happen one after the other, in the order in which they were asked for.

import { Relay } from "../../bench/gate/network/relay.ts";
import type { CaissonClient, ClientOptions } from "../../src/assemble/connect.ts";
import { connectTunnels } from "../../src/assemble/connect.ts";
import type { GivenName } from "../../src/client/link-session.ts";
import type { Keyring } from "../../src/client/keyring.ts";
import { Ledger } from "../../src/leaks/ledger.ts";
import type { CaissonError } from "../../src/lifecycle/errors.ts";
import type { ResourceKind } from "../../src/lifecycle/resource.ts";
import { resourceKinds } from "../../src/lifecycle/resource.ts";

const limits = {
  pingMs: 300,
  deadAfterMs: 900,
  probeMs: 500,
  closeTimeoutMs: 500,
  firstConnectMs: 1_500,
  drainMs: 500,
  dialMs: 1_000,
};

/** Where the three tunnels of every slot lead. */
export interface SlotTargets {
  readonly webPort: number;
  readonly rawPort: number;
}

/** What a slot is made of. */
export interface SlotOptions {
  readonly number: number;
  readonly serverPort: number;
  readonly targets: SlotTargets;
  readonly connect: Partial<ClientOptions>;
  readonly faulted: (where: string, error: unknown) => void;
}

/** The clients of one place, and their common ledger. */
export class Slot {
  readonly name: string;
  readonly relay: Relay;
  readonly ledger: Ledger = new Ledger();
  readonly clients: Set<CaissonClient> = new Set();
  /** Clients that another instance has driven out. */
  replaced = 0;
  /** The public port of its TCP tunnel, as it was last told; 0 before. */
  rawPort = 0;
  readonly #options: SlotOptions;
  // Whoever has the keys of a name may take it from its holder: all clients of a slot may.
  readonly #keys = new MemoryKeyring();
  #changes: Promise<void> = Promise.resolve();

  private constructor(relay: Relay, options: SlotOptions) {
    this.name = `storm-${options.number}`;
    this.relay = relay;
    this.#options = options;
    this.ledger.faulted = options.faulted;
  }

  static async start(options: SlotOptions): Promise<Slot> {
    return new Slot(await Relay.start({ port: options.serverPort }), options);
  }

  /** The server name of its TLS tunnel. */
  get secureName(): string {
    return `${this.name}-tls.localhost`;
  }

  /** A client, unless there is one. */
  connect(): Promise<void> {
    return this.#change(async () => {
      if (this.clients.size === 0) await this.#connect();
    });
  }

  /** Another instance beside a living one: it takes the names, and the living one is told and ends. */
  replace(): Promise<void> {
    return this.#change(async () => {
      if (this.clients.size > 0) await this.#connect();
    });
  }

  close(options: { readonly force: boolean }): Promise<void> {
    return this.#change(() => this.#closeAll(options));
  }

  /** Clients that end without a word, as when they are killed: the link is reset before they could say goodbye. */
  die(): Promise<void> {
    return this.#change(async () => {
      this.relay.cut();
      await this.#closeAll({ force: true });
    });
  }

  /** A link that keeps its sockets and forwards nothing; new connections work again at once. */
  freeze(): void {
    this.relay.freeze();
    this.relay.thaw();
  }

  /** Kinds whose containers, of all clients together, do not hold what the ledger says is live. */
  get imbalance(): ResourceKind[] {
    const inventories = Array.from(this.clients, (client) => client.inventory().held);
    return resourceKinds.filter((kind) => {
      if (inventories.some((held) => held[kind] === undefined)) return false;
      const held = inventories.reduce((sum, one) => sum + (one[kind] ?? 0), 0);
      return held !== this.ledger.live(kind);
    });
  }

  /** Ends everything. */
  async end(): Promise<void> {
    await this.close({ force: true });
    await this.relay.close();
  }

  #change(how: () => Promise<void>): Promise<void> {
    this.#changes = this.#changes.then(how);
    return this.#changes;
  }

  async #closeAll(options: { readonly force: boolean }): Promise<void> {
    await Promise.all(Array.from(this.clients, (client) => client.close(options)));
  }

  async #connect(): Promise<void> {
    const { targets, connect } = this.#options;
    try {
      const client = await connectTunnels({
        server: `ws://127.0.0.1:${this.relay.port}`,
        tunnels: [
          { key: "web", name: this.name, target: targets.webPort },
          { key: "raw", name: `${this.name}-raw`, type: "tcp", target: targets.rawPort },
          { key: "tls", name: `${this.name}-tls`, type: "tls", target: targets.rawPort },
        ],
        keyring: this.#keys,
        subscribers: [this.ledger],
        limits,
        ...connect,
      });
      this.clients.add(client);
      for (const { kind, direct } of client.tunnels) if (kind === "tcp") this.rawPort = portIn(direct.url);
      const onClosed = (error: CaissonError | undefined): void => {
        this.clients.delete(client);
        if (error?.code === "E_REPLACED") this.replaced += 1;
      };
      void client.closed.then(onClosed);
    } catch {
      // The name may be held, or the relay may have been cut: both are part of the storm.
    }
  }
}

/** Keys for as long as the storm lasts. */
class MemoryKeyring implements Keyring {
  readonly #keys = new Map<string, string>();

  find(server: string, name: string): string | undefined {
    return this.#keys.get(`${server} ${name}`);
  }

  keep(server: string, { name, resumeKey }: GivenName): void {
    this.#keys.set(`${server} ${name}`, resumeKey);
  }
}

function portIn(url: string): number {
  return Number(/:(\d+)$/u.exec(url)?.[1] ?? 0);
}
