// A TunnelClient under test, with a record of everything it says, and proof at the end that it holds nothing.

import assert from "node:assert/strict";
import type { ClientObserver, Disconnection, RefusedTunnel, TunnelFacts } from "../../src/client/observer.ts";
import { noObserver } from "../../src/client/observer.ts";
import type { TunnelClientOptions } from "../../src/client/tunnel-client.ts";
import { TunnelClient } from "../../src/client/tunnel-client.ts";
import type { CaissonError } from "../../src/lifecycle/errors.ts";
import { noEvents } from "../../src/lifecycle/events.ts";
import { fanout } from "../../src/lifecycle/fanout.ts";
import type { Runtime } from "../../src/lifecycle/runtime.ts";
import { createRuntime } from "../../src/lifecycle/runtime.ts";
import { Ledger } from "../../src/leaks/ledger.ts";

/** Everything but what the rig gives. */
export type ClientRigOptions = Omit<TunnelClientOptions, "runtime" | "version" | "tunnels" | "observer"> &
  Partial<Pick<TunnelClientOptions, "tunnels">>;

/** The client and what it said. */
export class ClientRig {
  readonly ledger: Ledger = new Ledger();
  readonly faults: unknown[] = [];
  readonly connects: string[] = [];
  readonly tunnels: TunnelFacts[] = [];
  readonly closedTunnels: string[] = [];
  readonly refused: RefusedTunnel[] = [];
  readonly disconnections: Disconnection[] = [];
  readonly failures: CaissonError[] = [];
  readonly runtime: Runtime;
  readonly client: TunnelClient;

  constructor(options: ClientRigOptions) {
    this.runtime = createRuntime(
      fanout(this.ledger, {
        ...noEvents,
        faulted: (where, error) => void this.faults.push({ where, error }),
        sessionConnected: (result) => void this.connects.push(result),
      }),
    );
    const observer: ClientObserver = {
      ...noObserver,
      tunnel: (facts) => void this.tunnels.push(facts),
      tunnelClosed: (facts, reason) => void this.closedTunnels.push(`${facts.name} ${reason}`),
      tunnelRefused: (what) => void this.refused.push(what),
      disconnected: (what) => void this.disconnections.push(what),
      failed: (error) => void this.failures.push(error),
    };
    this.client = new TunnelClient({
      runtime: this.runtime,
      version: "1.2.3",
      tunnels: [{ kind: "http", target: "127.0.0.1:1" }],
      observer,
      // Delays of a tenth keep the tests short and their order as it is.
      random: () => 0.1,
      ...options,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    void this.client.close();
    await this.client.close();
    assert.deepEqual(this.ledger.outstanding, {}, "the client's ledger");
    assert.deepEqual(this.faults, []);
    const { held, probes } = this.client.inventory();
    for (const [kind, count] of Object.entries(held)) assert.equal(count, 0, kind);
    for (const [probe, size] of Object.entries(probes)) assert.equal(size, 0, probe);
  }
}
