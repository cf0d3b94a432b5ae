// Subscribes to a role's events and counts what only events can tell; everything else is read at the scrape. On the hot
// path it adds to plain numbers: no labels are looked up or made per exchange, and no resource is remembered.

import type {
  Direction,
  ExchangeOutcome,
  ExchangeView,
  RefusalReason,
  SessionView,
  Side,
} from "../lifecycle/events.ts";
import { QuietEvents } from "../lifecycle/quiet-events.ts";
import type { Resource } from "../lifecycle/resource.ts";
import { ExchangeCounts } from "./exchange-counts.ts";
import type { ExpositionFormat } from "./exposition-format.ts";
import { HistogramCells, httpSeconds, lifeSeconds, roundTripSeconds } from "./histogram-cells.ts";
import type { LatencyCells } from "./latency-cells.ts";
import { Exposition } from "./prometheus.ts";
import type { MetricReadings } from "./readings.ts";
import { addResourceFamilies } from "./resource-families.ts";
import { RuntimeFamilies } from "./runtime-families.ts";
import { ScrapeReadings } from "./scrape-readings.ts";
import { addTrafficFamilies } from "./traffic-families.ts";
import { WordCounts } from "./word-counts.ts";

/** What metrics are made of. */
export interface MetricsOptions {
  /** Asked at every scrape. */
  readonly readings: MetricReadings;
  /** The version of this package. */
  readonly version: string;
  /** Hears of a reading that threw; the scrape goes on without it. Default: nobody does. */
  readonly onFault?: (error: unknown) => void;
}

/** What has been carried since the start. All of them only grow. */
export interface TrafficTotals {
  readonly requests: number;
  /** Requests with a status of 500 and above, or that ended neither well nor by the visitor's wish. */
  readonly failures: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** What the events of a role added up to. */
export class Metrics extends QuietEvents {
  /** @internal What the families read. */
  readonly _exchanges: ExchangeCounts = new ExchangeCounts();
  /** @internal */
  readonly _durations: HistogramCells = new HistogramCells(httpSeconds);
  /** @internal */
  readonly _firstBytes: HistogramCells = new HistogramCells(httpSeconds);
  /** @internal */
  readonly _roundTrips: HistogramCells = new HistogramCells(roundTripSeconds);
  /** @internal */
  readonly _sessionLives: HistogramCells = new HistogramCells(lifeSeconds);
  /** @internal */
  readonly _bytes: Record<Direction, number> = { in: 0, out: 0 };
  /** @internal */
  readonly _pauses: Record<Side, number> = { visitor: 0, target: 0, session: 0 };
  /** @internal */
  readonly _connects: WordCounts = new WordCounts();
  /** @internal */
  readonly _sessionCloses: WordCounts = new WordCounts();
  /** @internal */
  readonly _refusals: WordCounts = new WordCounts();
  /** @internal */
  readonly _badRequests: WordCounts = new WordCounts(128);
  /** @internal */
  readonly _violations: WordCounts = new WordCounts(128);
  /** @internal */
  readonly _faults: WordCounts = new WordCounts();
  readonly #exposition: Exposition;
  readonly #runtime: RuntimeFamilies;
  #latency: LatencyCells | undefined;

  /** Starts the runtime's collectors; they run until {@link dispose}. */
  constructor(options: MetricsOptions) {
    super();
    const { version } = options;
    const readings = new ScrapeReadings(options.readings);
    this.#exposition = new Exposition({
      onFault: options.onFault ?? ignore,
      onRender: () => readings.forget(),
    });
    addTrafficFamilies(this.#exposition, { metrics: this, readings });
    addResourceFamilies(this.#exposition, readings);
    this.#runtime = new RuntimeFamilies(this.#exposition, { version, readings });
  }

  override closed(resource: Resource, reason: string): void {
    if (resource.kind !== "session") return;
    this._sessionCloses.add(reason);
    this._sessionLives.observe((performance.now() - resource.openedAtMs) / 1000);
  }

  override bytes(direction: Direction, count: number): void {
    this._bytes[direction] += count;
  }

  override exchangeEnded(exchange: ExchangeView, outcome: ExchangeOutcome): void {
    this._exchanges.add(exchange, outcome);
    const { openedAtMs, firstByteAtMs, endedAtMs, trace } = exchange;
    const seconds = (endedAtMs - openedAtMs) / 1000;
    const toFirstByte = (firstByteAtMs - openedAtMs) / 1000;
    if (this.#latency && firstByteAtMs > 0) this.#latency.observe(firstByteAtMs - openedAtMs);
    // An exemplar is a link to a trace: one that nobody recorded leads nowhere.
    if (trace?.sampled !== true) {
      this._durations.observe(seconds);
      if (firstByteAtMs > 0) this._firstBytes.observe(toFirstByte);
    } else {
      this._durations.observeTraced(seconds, trace.traceId);
      if (firstByteAtMs > 0) this._firstBytes.observeTraced(toFirstByte, trace.traceId);
    }
  }

  override sessionConnected(result: string): void {
    this._connects.add(result);
  }

  override heartbeat(_: SessionView, rttMs: number): void {
    this._roundTrips.observe(rttMs / 1000);
  }

  override paused(side: Side): void {
    this._pauses[side] += 1;
  }

  override refused(reason: RefusalReason): void {
    this._refusals.add(reason);
  }

  override badRequest(reason: string): void {
    this._badRequests.add(reason);
  }

  override violated(_: SessionView, reason: string): void {
    this._violations.add(reason);
  }

  override faulted(where: string): void {
    this._faults.add(where);
  }

  /** Counts times to the first byte into `cells` from now on; undefined to stop. */
  measureLatency(cells: LatencyCells | undefined): void {
    this.#latency = cells;
  }

  /** What has been carried so far. */
  totals(): TrafficTotals {
    let requests = 0;
    let failures = 0;
    for (const { code, outcome, count } of this._exchanges.cells()) {
      requests += count;
      const isAnswered = outcome === "ok" || outcome === "visitor_abort";
      if (!isAnswered || Number(code) >= 500) failures += count;
    }
    return { requests, failures, bytesIn: this._bytes.in, bytesOut: this._bytes.out };
  }

  /** The whole exposition in one of the two formats. */
  render(format: ExpositionFormat): Promise<string> {
    return this.#exposition.render(format);
  }

  /** Stops the runtime's collectors and forgets whom scrapes read. Idempotent; what is rendered afterwards is empty. */
  dispose(): void {
    this.#runtime.dispose();
    this.#exposition.clear();
  }
}

function ignore(): void {}
