// The readings of one scrape: what several families ask for is read once, and forgotten when the scrape ends.

import type { Inventory, ResourceKind } from "../lifecycle/resource.ts";
import type { MetricReadings, ResourceReading } from "./readings.ts";

/** Stands between the families and a role's readings. */
export class ScrapeReadings {
  /** What is cheap, or asked for by one family only. */
  readonly direct: MetricReadings;
  #inventory: Inventory | undefined;
  #resources: Partial<Record<ResourceKind, ResourceReading>> | undefined;
  #memory: NodeJS.MemoryUsage | undefined;
  #cpu: NodeJS.CpuUsage | undefined;

  constructor(readings: MetricReadings) {
    this.direct = readings;
  }

  /** The containers' sizes. */
  inventory(): Inventory {
    return (this.#inventory ??= this.direct.inventory());
  }

  /** The ledgers. */
  resources(): Partial<Record<ResourceKind, ResourceReading>> {
    return (this.#resources ??= this.direct.resources(this.inventory()));
  }

  /** Memory of the process, in bytes: the system's answer takes a third of a millisecond. */
  memory(): NodeJS.MemoryUsage {
    return (this.#memory ??= process.memoryUsage());
  }

  /** CPU time of the process, in microseconds. */
  cpu(): NodeJS.CpuUsage {
    return (this.#cpu ??= process.cpuUsage());
  }

  /** The next question is asked anew. */
  forget(): void {
    this.#inventory = undefined;
    this.#resources = undefined;
    this.#memory = undefined;
    this.#cpu = undefined;
  }
}
