// Tells the ledger's account and the watcher's tally of one kind what was opened and closed. What comes with every request
// comes here and nowhere else, so that a resource's fields are where the compiler expects them.

import type { Account } from "../leaks/ledger.ts";
import type { KindWatch } from "../leaks/kind-watch.ts";
import type { ResourceEvents } from "../lifecycle/events.ts";
import type { Resource } from "../lifecycle/resource.ts";

/** The observers of one kind that comes with every request. */
export class KindObservers implements ResourceEvents {
  readonly #account: Account;
  readonly #watch: KindWatch;

  constructor(account: Account, watch: KindWatch) {
    this.#account = account;
    this.#watch = watch;
  }

  opened(resource: Resource): void {
    this.#account.countOpened(resource.openedAtMs);
    this.#watch.opened(resource);
  }

  closed(resource: Resource, reason: string): void {
    this.#account.countClosed(resource.openedAtMs, reason);
    this.#watch.closed(resource);
  }
}
