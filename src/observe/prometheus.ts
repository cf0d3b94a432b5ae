// The only file that knows prom-client. Every family is read when a scrape comes; nothing is counted here. It promises one
// registry of its own, which is only ever rendered as OpenMetrics, and a family that throws is left out, not the scrape.

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ExpositionFormat } from "./exposition-format.ts";
import { boundText, textFromOpenMetrics } from "./exposition-format.ts";
import type { BucketExemplar } from "./histogram-cells.ts";
import { HistogramCells } from "./histogram-cells.ts";
import type { HistogramReading } from "./readings.ts";

/** Label values by label name. */
export type Labels = Readonly<Record<string, string>>;

/** What every family has. */
export interface FamilySpec {
  /** The full name; a counter's ends in `_total`. */
  readonly name: string;
  /** One sentence without quotes. */
  readonly help: string;
  /** Label names; default none. */
  readonly labels?: readonly string[];
}

/** Takes one value of a family that is being read. */
export type Emit = (value: number | undefined, labels?: Labels) => void;
/** Takes one histogram of a family that is being read. */
export type EmitHistogram = (reading: HistogramReading | undefined, labels?: Labels) => void;

/** Whom an exposition tells. Neither may throw. */
export interface ExpositionOptions {
  /** Hears of every family that could not be read. */
  readonly onFault: (error: unknown) => void;
  /** Called before and after the families are read, which happens in one turn of the event loop. */
  readonly onRender: () => void;
}

type OpenMetricsRegistry = Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>;

/** A registry of families. */
export class Exposition {
  readonly #registry: OpenMetricsRegistry = new Registry();
  readonly #options: ExpositionOptions;
  #rendering: Promise<Rendered> | undefined;

  constructor(options: ExpositionOptions) {
    this.#options = options;
    this.#registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  }

  /** Adds a family of values that may go up and down. */
  gauge(spec: FamilySpec, read: (emit: Emit) => void): void {
    const gauge = new Gauge({
      ...this.#common(spec),
      collect: () => {
        forget(gauge);
        this.#guard(() => read((value, labels) => isNumber(value) && gauge.set({ ...labels }, value)));
      },
    });
  }

  /** Adds a family of values that only grow. What is emitted is the value itself, not an increment. */
  counter(spec: FamilySpec, read: (emit: Emit) => void): void {
    const common = this.#common(spec);
    const counter = new Counter({
      ...common,
      // OpenMetrics names the family without the suffix and appends it to each sample.
      name: common.name.replace(/_total$/u, ""),
      collect: () => {
        forget(counter);
        this.#guard(() => read((value, labels) => isNumber(value) && value >= 0 && counter.inc({ ...labels }, value)));
      },
    });
  }

  /** Adds a family of histograms. */
  histogram(spec: FamilySpec, read: (emit: EmitHistogram) => void): void {
    const configuration = { ...this.#common(spec), buckets: [1], enableExemplars: true };
    const histogram = new ReadHistogram(configuration, (samples) => {
      this.#guard(() =>
        read((reading, labels) => {
          if (reading) addSamples(samples, { name: spec.name, labels: labels ?? {}, reading });
        }),
      );
    });
    this.#registry.registerMetric(histogram);
  }

  /** Everything, in the given format. Scrapes that come while one is being rendered share its result, and its memory. */
  async render(format: ExpositionFormat): Promise<string> {
    this.#rendering ??= this.#read().finally(() => {
      this.#rendering = undefined;
    });
    const rendered = await this.#rendering;
    return format === "openmetrics" ? rendered.openMetrics : rendered.text;
  }

  /** Forgets every family and whom they read. */
  clear(): void {
    this.#registry.clear();
  }

  async #read(): Promise<Rendered> {
    this.#options.onRender();
    const text = this.#registry.metrics();
    this.#options.onRender();
    return new Rendered(await text);
  }

  #common(spec: FamilySpec): {
    name: string;
    help: string;
    labelNames: readonly string[];
    registers: OpenMetricsRegistry[];
  } {
    return { name: spec.name, help: spec.help, labelNames: spec.labels ?? [], registers: [this.#registry] };
  }

  #guard(read: () => void): void {
    try {
      read();
    } catch (error) {
      this.#options.onFault(error);
    }
  }
}

/** One scrape; the older format is made when somebody asks for it, and once. */
class Rendered {
  readonly openMetrics: string;
  #text: string | undefined;

  constructor(openMetrics: string) {
    this.openMetrics = openMetrics;
  }

  get text(): string {
    return (this.#text ??= textFromOpenMetrics(this.openMetrics));
  }
}

/** One line of a histogram, in the form that prom-client's renderer takes. */
interface Sample {
  readonly metricName: string;
  readonly labels: Labels;
  readonly sharedLabels: Labels;
  readonly value: number;
  readonly exemplar: { readonly labelSet: Labels; readonly value: number; readonly timestamp: number } | undefined;
}

/** A histogram whose buckets are counted elsewhere: prom-client renders it, but never observes. */
class ReadHistogram extends Histogram {
  readonly #read: (samples: Sample[]) => void;
  readonly #head: { readonly name: string; readonly help: string };

  constructor(
    configuration: ConstructorParameters<typeof Histogram>[0] & { readonly name: string; readonly help: string },
    read: (samples: Sample[]) => void,
  ) {
    super(configuration);
    this.#head = { name: configuration.name, help: configuration.help };
    this.#read = read;
  }

  /** What prom-client asks of a histogram when it renders text. */
  async getForPromString(): Promise<object> {
    const values: Sample[] = [];
    this.#read(values);
    return { ...this.#head, type: "histogram", aggregator: "sum", values };
  }
}

function addSamples(
  samples: Sample[],
  histogram: { readonly name: string; readonly labels: Labels; readonly reading: HistogramReading },
): void {
  const { name, labels: sharedLabels, reading } = histogram;
  const { bounds, counts, sum } = reading;
  const bucketName = `${name}_bucket`;
  const traced = reading instanceof HistogramCells ? reading : undefined;
  let count = 0;
  for (let bucket = 0; bucket <= bounds.length; bucket += 1) {
    count += counts[bucket] ?? 0;
    const labels = { le: boundText(bounds[bucket]) };
    const exemplar = sampleExemplar(traced?.exemplar(bucket));
    samples.push({ metricName: bucketName, labels, sharedLabels, value: count, exemplar });
  }
  samples.push({ metricName: `${name}_sum`, labels: noLabels, sharedLabels, value: sum, exemplar: undefined });
  samples.push({ metricName: `${name}_count`, labels: noLabels, sharedLabels, value: count, exemplar: undefined });
}

const noLabels: Labels = {};

function sampleExemplar(exemplar: BucketExemplar | undefined): Sample["exemplar"] {
  if (exemplar === undefined) return undefined;
  const { traceId, value, atSeconds } = exemplar;
  return { labelSet: { trace_id: traceId }, value, timestamp: atSeconds };
}

/** Empties a family, also of the zero that prom-client gives to one without labels: absent is not zero. */
function forget(metric: { reset(): void; remove(labels: object): void }): void {
  metric.reset();
  metric.remove({});
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}
