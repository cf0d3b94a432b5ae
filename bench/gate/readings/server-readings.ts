// One sample of a server: the ledgers from its private listener, the rest from its inspector where there is one. Waits for
// quiescence first. Keeps the floor below which a round that left something behind is no longer waited for.

import type { Phase, Sample } from "../verdict/sample.ts";
import type { AdminReader } from "./admin-reader.ts";
import { descriptorsOf, tcpCounters } from "./kernel.ts";
import type { ProcessReader } from "./process-reader.ts";
import { floorOf, settle, unsettled } from "./quiescence.ts";
import type { Floor, Patience } from "./quiescence.ts";
import { decideRetained } from "./retained.ts";

/** What a sample says of the run besides the readings. */
export interface SampleFacts {
  readonly round: number;
  readonly phase: Phase;
  readonly atMs: number;
  readonly connections: number;
  readonly requests: number;
}

/** Where the readings come from. */
export interface ServerReadingsOptions {
  readonly admin: AdminReader;
  /** Absent for a server that runs elsewhere: then there is no census of objects and listeners. */
  readonly inspector?: ProcessReader;
  /** Absent for a server that runs elsewhere: then there are no descriptors. */
  readonly pid?: number;
  readonly patience: Patience;
  /** How long after its close a resource may be referred to, in milliseconds. */
  readonly graceMs: number;
}

/** Collections before the ledger of the collector is read, in a server without an inspector. */
const collections = 3;
/** What a round that settled in vain costs at most after the first such round, in milliseconds. */
const vainPatience: Patience = { longestMs: 1_000, unchangedMs: 1_000 };

/** The readings of one server. */
export class ServerReadings {
  readonly #from: ServerReadingsOptions;
  #floor: Floor = {};
  #inVain = false;

  constructor(from: ServerReadingsOptions) {
    this.#from = from;
  }

  /** Takes what is there now as none of the gate's business: a server that others use. */
  async takeFloor(): Promise<void> {
    this.#floor = floorOf(await this.#from.admin.ledgers());
  }

  /** Waits until what the last round made is gone, or was waited for in vain; resolves with what was left. */
  async settle(round: { readonly thorough: boolean; readonly lingering: boolean }): Promise<string> {
    const { admin, patience } = this.#from;
    const floor = this.#floor;
    const read = admin.ledgers.bind(admin);
    const left = await settle(read, {
      floor,
      patience: this.#inVain && !round.thorough ? this.#shortened(round) : patience,
    });
    if (left !== "") {
      this.#inVain = true;
      this.#floor = floorOf(await admin.ledgers());
    }
    return left;
  }

  /** Decides what is retained. */
  decideRetained(): Promise<void> {
    const { graceMs, admin } = this.#from;
    return decideRetained({
      graceMs,
      collect: (times) => this.#collect(times),
      kinds: async () => (await admin.ledgers()).kinds,
    });
  }

  /** Does once what a reading does now and then: the first time leaves something behind, such as the server's own collector. */
  async rehearse(): Promise<void> {
    await this.#from.admin.collectGarbage(1);
    await this.#from.inspector?.rehearse();
  }

  /** Whether nothing of the scenarios is there. */
  async quiescent(): Promise<boolean> {
    return unsettled(await this.#from.admin.ledgers(), this.#floor) === "";
  }

  /** Live resources of one kind. */
  async live(kind: string): Promise<number> {
    return (await this.#from.admin.ledgers()).kinds[kind]?.live ?? 0;
  }

  /** Reads everything at a quiescent point. */
  async sample(facts: SampleFacts, options: { readonly census: boolean }): Promise<Sample> {
    const { admin, inspector, pid } = this.#from;
    if (!inspector) await this.#collect(collections);
    // V8 throws the code of a rarely used regular expression away after every second use; with two uses for each sample the
    // heap does not swing between two levels. Before the reading, so that it sees what any scrape leaves.
    await admin.scrape();
    const scraped = await admin.scrape();
    const inside = await inspector?.read(options);
    const fds = pid === undefined ? undefined : await descriptorsOf(pid);
    const ledgers = await admin.ledgers();
    return {
      ...facts,
      kinds: ledgers.kinds,
      probes: ledgers.probes,
      operations: ledgers.operations,
      handles: inside?.handles ?? ledgers.handles,
      fds,
      tcp: await tcpCounters(),
      ...inside?.census,
      memory: inside?.memory ?? ledgers.memory,
      ...scraped,
    };
  }

  /** What a round that will settle in vain again is given: enough for what it left for a while. */
  #shortened({ lingering }: { readonly lingering: boolean }): Patience {
    if (!lingering) return vainPatience;
    return { ...vainPatience, longestMs: Math.max(vainPatience.longestMs, this.#from.patience.longestMs / 2) };
  }

  async #collect(times: number): Promise<void> {
    const { admin, inspector } = this.#from;
    await (inspector ?? admin).collectGarbage(times);
  }
}
