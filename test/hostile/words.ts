// Remembers the words with which a server turned something away: the labels of its metrics.

import { QuietEvents } from "../../src/lifecycle/quiet-events.ts";
import type { SessionView } from "../../src/lifecycle/events.ts";

/** A subscriber for one server. */
export class Words extends QuietEvents {
  readonly badRequests: string[] = [];
  readonly refusals: string[] = [];
  readonly violations: string[] = [];
  readonly logins: string[] = [];

  override badRequest(reason: string): void {
    this.badRequests.push(reason);
  }

  override refused(reason: string): void {
    this.refusals.push(reason);
  }

  override violated(_: SessionView, reason: string): void {
    this.violations.push(reason);
  }

  override sessionConnected(result: string): void {
    this.logins.push(result);
  }
}
