// One sample of the long-lived client process: its ledgers over IPC, the rest from its inspector.

import { clientGraceMs } from "../processes/client-ledgers.ts";
import type { ClientOrder } from "../processes/client-orders.ts";
import type { Counts } from "../processes/orders.ts";
import type { Worker } from "../processes/worker.ts";
import type { KindSample, Sample } from "../verdict/sample.ts";
import { descriptorsOf, tcpCounters } from "./kernel.ts";
import type { ProcessReader } from "./process-reader.ts";
import { decideRetained } from "./retained.ts";
import type { SampleFacts } from "./server-readings.ts";

/** A collection that comes a moment after the grace is late enough. Milliseconds. */
const momentMs = 200;

/** The readings of a client process. */
export class ClientReadings {
  readonly #crew: Worker<ClientOrder>;
  readonly #inspector: ProcessReader;

  constructor(crew: Worker<ClientOrder>, inspector: ProcessReader) {
    this.#crew = crew;
    this.#inspector = inspector;
  }

  /** Decides what is retained. */
  decideRetained(): Promise<void> {
    return decideRetained({
      graceMs: clientGraceMs + momentMs,
      collect: (times) => this.#inspector.collectGarbage(times),
      kinds: () => this.#kinds(),
    });
  }

  /** Does once what a reading does now and then. */
  rehearse(): Promise<void> {
    return this.#inspector.rehearse();
  }

  /** Reads everything at a quiescent point. */
  async sample(facts: SampleFacts, options: { readonly census: boolean }): Promise<Sample> {
    const { memory, handles, census } = await this.#inspector.read(options);
    const kinds = await this.#kinds();
    const fds = await descriptorsOf(this.#crew.process.pid);
    return { ...facts, kinds, probes: {}, handles, fds, tcp: await tcpCounters(), memory, ...census };
  }

  async #kinds(): Promise<Record<string, KindSample>> {
    return kindsOf(await this.#crew.ask({ do: "ledgers" }));
  }

  /** Lets go of the process. */
  close(): Promise<void> {
    return this.#inspector.close();
  }
}

/** Kinds from `KIND.FIELD` counts. */
export function kindsOf(counts: Counts): Record<string, KindSample> {
  const kinds: Record<string, KindSample> = {};
  for (const kind of new Set(Object.keys(counts).map((name) => name.split(".")[0] ?? ""))) {
    const amount = (field: keyof KindSample): number => counts[`${kind}.${field}`] ?? 0;
    kinds[kind] = {
      opened: amount("opened"),
      closed: amount("closed"),
      live: amount("live"),
      held: counts[`${kind}.held`] ?? null,
      uncollected: amount("uncollected"),
      retained: amount("retained"),
      collectedUnclosed: amount("collectedUnclosed"),
      oldestSeconds: amount("oldestSeconds"),
    };
  }
  return kinds;
}
