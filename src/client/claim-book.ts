// What a client was asked to publish: one claim per tunnel, with the connections to its target and the checks of its health.
// It is changed while the client runs; what stays the same in a change is not touched, and what goes is let finish first.

import type { Deadline } from "../lifecycle/deadlines.ts";
import { CaissonError } from "../lifecycle/errors.ts";
import type { ClientContext, TunnelClaim } from "./client-tunnel.ts";
import type { HealthOptions } from "./health-check.ts";
import { HealthCheck } from "./health-check.ts";
import { LocalPool } from "./local-pool.ts";
import type { Target, TargetOptions } from "./target.ts";
import { parseTarget } from "./target.ts";
import type { TunnelKind } from "../wire/control.ts";

/** One tunnel to make. */
export interface TunnelSpec extends Omit<TargetOptions, "forbiddenPorts"> {
  /** Tells it from the client's other tunnels, through changes of everything else. Default: its place in the list. */
  readonly key?: string;
  readonly kind: TunnelKind;
  /** What {@link parseTarget} reads. */
  readonly target: string;
  /** The wanted public name; random without. */
  readonly name?: string;
  /** The wanted public port (TCP); any without. */
  readonly port?: number;
  /** Checks of the target, which take the tunnel out of service and back. None if absent. */
  readonly health?: HealthOptions;
}

/** What a change came to. */
export interface ClaimChanges {
  readonly added: readonly TunnelClaim[];
  readonly removed: readonly TunnelClaim[];
  /** Those that lead elsewhere, or are checked in another way, from now on. */
  readonly changed: readonly TunnelClaim[];
}

/** What a book works with. */
export interface ClaimBookOptions {
  readonly context: ClientContext;
  readonly forbiddenPorts: readonly number[];
}

interface Entry {
  spec: TunnelSpec;
  readonly claim: TunnelClaim;
  check: HealthCheck | undefined;
}

/** The claims of one client. */
export class ClaimBook {
  /** Those that stand now; links read it whenever they log in. */
  readonly claims: Set<TunnelClaim> = new Set();
  readonly #options: ClaimBookOptions;
  readonly #entries = new Map<string, Entry>();
  /** Of all claims, and of those that went and still finish something. */
  readonly #pools = new Set<LocalPool>();
  readonly #drains = new Set<Deadline>();
  #lastId = 0;
  #checking = false;
  #onClosed: (() => void) | undefined;

  /** Checks every spec and opens nothing. Throws E_USAGE. */
  constructor(options: ClaimBookOptions, specs: readonly TunnelSpec[]) {
    this.#options = options;
    for (const [key, { spec, target }] of this.#parse(specs)) this.#add(key, { spec, target });
  }

  /** Every pool that may hold connections. */
  get pools(): Iterable<LocalPool> {
    return this.#pools;
  }

  /** How many tunnels are out of service. */
  get outOfService(): number {
    let count = 0;
    for (const { inService } of this.claims) if (!inService) count += 1;
    return count;
  }

  /** Begins to check the targets that are to be checked. */
  startChecks(): void {
    this.#checking = true;
    for (const entry of this.#entries.values()) this.#check(entry);
  }

  /** Puts other specs in force. Throws E_USAGE for a wrong one, and changes nothing then. */
  update(specs: readonly TunnelSpec[]): ClaimChanges {
    const wanted = this.#parse(specs);
    const changes = { added: [] as TunnelClaim[], removed: [] as TunnelClaim[], changed: [] as TunnelClaim[] };
    for (const [key, entry] of this.#entries) {
      const next = wanted.get(key);
      if (next && sameClaim(entry.spec, next.spec)) continue;
      this.#remove(key, entry);
      changes.removed.push(entry.claim);
    }
    for (const [key, next] of wanted) {
      const entry = this.#entries.get(key);
      if (!entry) changes.added.push(this.#add(key, next));
      else if (!isEqual(entry.spec, next.spec)) {
        this.#lead(entry, next);
        changes.changed.push(entry.claim);
      }
    }
    return changes;
  }

  /** Closes every connection; `onClosed` is called when the last socket is closed. */
  close(onClosed: () => void): void {
    this.#onClosed = onClosed;
    for (const drain of this.#drains) drain.dispose();
    this.#drains.clear();
    for (const { check } of this.#entries.values()) check?.close();
    for (const pool of this.#pools) pool.close(() => this.#gone(pool));
    this.#announceClosed();
  }

  #parse(specs: readonly TunnelSpec[]): Map<string, { readonly spec: TunnelSpec; readonly target: Target }> {
    const { forbiddenPorts } = this.#options;
    const parsed = specs.map((spec, at) => {
      if (spec.kind === "tls" && spec.health?.path !== undefined) {
        throw new CaissonError(
          "E_USAGE",
          "the target of a TLS tunnel is checked by a connection alone: leave the path out",
        );
      }
      const target = parseTarget(spec.kind, spec.target, { ...spec, forbiddenPorts });
      return [spec.key ?? String(at), { spec, target }] as const;
    });
    const byKey = new Map(parsed);
    if (byKey.size < parsed.length || parsed.length === 0) {
      throw new CaissonError("E_USAGE", "a client needs at least one tunnel, and each needs a key of its own");
    }
    return byKey;
  }

  #add(key: string, { spec, target }: { readonly spec: TunnelSpec; readonly target: Target }): TunnelClaim {
    this.#lastId += 1;
    const { kind, name, port } = spec;
    const claim: TunnelClaim = { id: this.#lastId, kind, name, port, pool: this.#poolTo(target), inService: true };
    const entry: Entry = { spec, claim, check: undefined };
    this.claims.add(claim);
    this.#entries.set(key, entry);
    this.#check(entry);
    return claim;
  }

  /** Streams in flight end at the old target, new ones begin at the new one. */
  #lead(entry: Entry, { spec, target }: { readonly spec: TunnelSpec; readonly target: Target }): void {
    entry.check?.close();
    entry.check = undefined;
    this.#retire(entry.claim.pool);
    entry.spec = spec;
    entry.claim.pool = this.#poolTo(target);
    this.#judge(entry.claim, { inService: true, why: "" });
    this.#check(entry);
  }

  #remove(key: string, { claim, check }: Entry): void {
    check?.close();
    this.#entries.delete(key);
    this.claims.delete(claim);
    this.#retire(claim.pool);
  }

  #check(entry: Entry): void {
    const { claim, spec } = entry;
    if (!this.#checking || !spec.health) return;
    const onVerdict = (inService: boolean, why: string): void => this.#judge(claim, { inService, why });
    entry.check = new HealthCheck({ pool: claim.pool, health: spec.health, onVerdict });
  }

  #judge(claim: TunnelClaim, verdict: { readonly inService: boolean; readonly why: string }): void {
    if (claim.inService === verdict.inService) return;
    claim.inService = verdict.inService;
    this.#options.context.observer.health({ name: claim.name, target: claim.pool.target.text, ...verdict });
  }

  #poolTo(target: Target): LocalPool {
    const { limits, runtime } = this.#options.context;
    const pool = new LocalPool({ target, limits, runtime });
    this.#pools.add(pool);
    return pool;
  }

  #retire(pool: LocalPool): void {
    const { limits, runtime } = this.#options.context;
    const onEmpty = (): void => {
      this.#drains.delete(drain);
      drain.dispose();
      this.#gone(pool);
    };
    const drain = runtime.deadlines.create(() => pool.close(onEmpty));
    this.#drains.add(drain);
    drain.arm(limits.drainMs);
    pool.retire(onEmpty);
  }

  #gone(pool: LocalPool): void {
    this.#pools.delete(pool);
    this.#announceClosed();
  }

  #announceClosed(): void {
    if (this.#pools.size > 0) return;
    const onClosed = this.#onClosed;
    this.#onClosed = undefined;
    onClosed?.();
  }
}

/** Whether both claim the same name or port, wherever they lead. */
function sameClaim(a: TunnelSpec, b: TunnelSpec): boolean {
  return a.kind === b.kind && a.name === b.name && a.port === b.port;
}

function isEqual(a: TunnelSpec, b: TunnelSpec): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
