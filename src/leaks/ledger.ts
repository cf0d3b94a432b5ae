// The first ledger: how many resources of each kind were opened and closed, and why, as the core's events tell it.
// It never counts up and down one number: what is live is always the difference of two that only grow.

import type { Resource, ResourceKind } from "../lifecycle/resource.ts";
import { resourceKinds } from "../lifecycle/resource.ts";
import type { TunnelEvents } from "../lifecycle/events.ts";
import { noEvents } from "../lifecycle/events.ts";

/** The account of one kind. */
export interface Account {
  opened: number;
  closed: number;
  /** Closes by reason; their sum is `closed`. */
  readonly reasons: Map<string, number>;
}

/** Subscribes to a role's events and keeps the accounts. */
export class Ledger implements TunnelEvents {
  readonly accounts: Readonly<Record<ResourceKind, Account>> = emptyAccounts();
  readonly bytes = noEvents.bytes;
  readonly exchangeStarted = noEvents.exchangeStarted;
  readonly exchangeEnded = noEvents.exchangeEnded;
  readonly sessionConnected = noEvents.sessionConnected;
  readonly heartbeat = noEvents.heartbeat;
  readonly paused = noEvents.paused;
  readonly refused = noEvents.refused;
  readonly badRequest = noEvents.badRequest;
  readonly violated = noEvents.violated;
  readonly faulted = noEvents.faulted;

  opened(resource: Resource): void {
    this.accounts[resource.kind].opened += 1;
  }

  closed(resource: Resource, reason: string): void {
    const account = this.accounts[resource.kind];
    account.closed += 1;
    account.reasons.set(reason, (account.reasons.get(reason) ?? 0) + 1);
  }

  /** Opened and not closed. */
  live(kind: ResourceKind): number {
    const account = this.accounts[kind];
    return account.opened - account.closed;
  }

  /** Every kind that is not zero: empty when all that was opened was closed. */
  get outstanding(): Partial<Record<ResourceKind, number>> {
    const counts: Partial<Record<ResourceKind, number>> = {};
    for (const kind of resourceKinds) if (this.live(kind) !== 0) counts[kind] = this.live(kind);
    return counts;
  }
}

function emptyAccounts(): Record<ResourceKind, Account> {
  const account = (): Account => ({ opened: 0, closed: 0, reasons: new Map() });
  return {
    session: account(),
    tunnel: account(),
    stream: account(),
    exchange: account(),
    pipe: account(),
    session_socket: account(),
    visitor_socket: account(),
    local_socket: account(),
    tls_context: account(),
    deadline: account(),
    listener: account(),
    snapshot: account(),
    span: account(),
  };
}
