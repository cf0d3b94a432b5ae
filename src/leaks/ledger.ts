// The first ledger: how many resources of each kind were opened and closed, and why, as the core's events tell it.
// It never counts up and down one number: what is live is always the difference of two that only grow.

import { QuietEvents } from "../lifecycle/quiet-events.ts";
import type { Resource, ResourceKind } from "../lifecycle/resource.ts";
import { resourceKinds } from "../lifecycle/resource.ts";
import { byKind } from "./by-kind.ts";
import { OpenAges } from "./open-ages.ts";

/** The account of one kind. */
export interface Account {
  opened: number;
  closed: number;
  /** Closes by reason; their sum is `closed`. */
  readonly reasons: Map<string, number>;
  /** How old the open ones are. */
  readonly ages: OpenAges;
}

/** Subscribes to a role's events and keeps the accounts. */
export class Ledger extends QuietEvents {
  readonly accounts: Readonly<Record<ResourceKind, Account>> = byKind(emptyAccount);

  override opened(resource: Resource): void {
    const account = this.accounts[resource.kind];
    account.opened += 1;
    account.ages.opened(resource.openedAtMs);
  }

  override closed(resource: Resource, reason: string): void {
    const account = this.accounts[resource.kind];
    account.closed += 1;
    account.ages.closed(resource.openedAtMs);
    account.reasons.set(reason, (account.reasons.get(reason) ?? 0) + 1);
  }

  /** Opened and not closed. */
  live(kind: ResourceKind): number {
    const account = this.accounts[kind];
    return account.opened - account.closed;
  }

  /** Age of the oldest open resource of a kind at `nowMs` (`performance.now()`) in milliseconds; 0 if none is open. */
  oldestAgeMs(kind: ResourceKind, nowMs: number = performance.now()): number {
    return this.accounts[kind].ages.oldestMs(nowMs);
  }

  /** Every kind that is not zero: empty when all that was opened was closed. */
  get outstanding(): Partial<Record<ResourceKind, number>> {
    const counts: Partial<Record<ResourceKind, number>> = {};
    for (const kind of resourceKinds) if (this.live(kind) !== 0) counts[kind] = this.live(kind);
    return counts;
  }
}

function emptyAccount(): Account {
  return { opened: 0, closed: 0, reasons: new Map(), ages: new OpenAges() };
}
