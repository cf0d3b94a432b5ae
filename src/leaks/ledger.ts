// The first ledger: how many resources of each kind were opened and closed, and why, as the core's events tell it.
// It never counts up and down one number: what is live is always the difference of two that only grow.

import { QuietEvents } from "../lifecycle/quiet-events.ts";
import type { Resource, ResourceKind } from "../lifecycle/resource.ts";
import { resourceKinds } from "../lifecycle/resource.ts";
import { byKind } from "./by-kind.ts";
import { OpenAges } from "./open-ages.ts";

/** Closes for one reason. */
interface ReasonCell {
  readonly reason: string;
  count: number;
}

/** The account of one kind. */
export class Account {
  opened = 0;
  closed = 0;
  /** How old the open ones are. */
  readonly ages: OpenAges = new OpenAges();
  readonly #cells = new Map<string, ReasonCell>();
  // Nearly all closes of a busy kind have the reason of the one before: no look-up is needed then.
  #latest: ReasonCell | undefined;

  /** Counts one that was opened at `openedAtMs`, on the clock of `performance.now()`. */
  countOpened(openedAtMs: number): void {
    this.opened += 1;
    this.ages.opened(openedAtMs);
  }

  /** Counts its close. */
  countClosed(openedAtMs: number, reason: string): void {
    this.closed += 1;
    let cell = this.#latest;
    if (cell?.reason !== reason) cell = this.#cell(reason);
    cell.count += 1;
    this.ages.closed(openedAtMs);
  }

  /** Closes by reason; their sum is `closed`. A copy. */
  get reasons(): Map<string, number> {
    return new Map(Array.from(this.#cells.values(), ({ reason, count }) => [reason, count]));
  }

  #cell(reason: string): ReasonCell {
    let cell = this.#cells.get(reason);
    if (!cell) {
      cell = { reason, count: 0 };
      this.#cells.set(reason, cell);
    }
    this.#latest = cell;
    return cell;
  }
}

/** Subscribes to a role's events and keeps the accounts. */
export class Ledger extends QuietEvents {
  readonly accounts: Readonly<Record<ResourceKind, Account>> = byKind(() => new Account());

  override opened(resource: Resource): void {
    this.accounts[resource.kind].countOpened(resource.openedAtMs);
  }

  override closed(resource: Resource, reason: string): void {
    this.accounts[resource.kind].countClosed(resource.openedAtMs, reason);
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
