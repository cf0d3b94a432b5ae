// What became of the spans that were recorded: sent, or dropped and why. Counted where the SDK itself counts, through the
// metrics that its span processors keep of their queues; whatever else an SDK would measure goes nowhere.

import type { Counter, Meter, MeterProvider } from "@opentelemetry/api";
import { createNoopMeter } from "@opentelemetry/api";
import type { SpanExportReading } from "./readings.ts";

/** The SDK's count of spans that have left its queue, one way or the other. */
const processedSpans = "otel.sdk.processor.span.processed";

/** Counts spans by what became of them. */
export class SpanTally implements SpanExportReading {
  exported = 0;
  readonly dropped: Record<"queue_full" | "export_failed", number> = { queue_full: 0, export_failed: 0 };

  /** To be given to the SDK's span processors. */
  meterProvider(): MeterProvider {
    const noop = createNoopMeter();
    const counter: Counter = {
      add: (count, attributes) => {
        const problem = attributes?.["error.type"];
        if (problem === undefined) this.exported += count;
        else this.dropped[problem === "queue_full" ? "queue_full" : "export_failed"] += count;
      },
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it inherits everything from a Meter
    const meter = Object.create(noop) as Meter;
    meter.createCounter = (name, options) => (name === processedSpans ? counter : noop.createCounter(name, options));
    return { getMeter: () => meter };
  }
}
