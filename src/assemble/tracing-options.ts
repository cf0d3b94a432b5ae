// Loads tracing only where an OpenTelemetry SDK is there to take the spans. Nothing of OpenTelemetry is loaded otherwise.

import type { Queries } from "../observe/span-attributes.ts";
import type { Sampling } from "../observe/sampling.ts";
import type { SpanExportReading } from "../observe/readings.ts";
import type { Tracing } from "../observe/tracing.ts";
import { version } from "./version.ts";

/** How a role is traced. */
export interface TracingChoice {
  /** Whether queries are recorded; default `redacted`. */
  readonly queries?: Queries;
  /** Who decides which traces are recorded. Default: the sampler of the registered SDK. */
  readonly sampling?: Sampling;
  /** `none`: trace fields are neither read nor written. Default: what the registered propagator says, else W3C Trace Context. */
  readonly propagation?: "none";
  /** What became of the spans, for metrics. */
  readonly exports?: SpanExportReading;
}

/** Where OpenTelemetry's API, whatever copy of it, keeps what was registered. */
const registry = Symbol.for("opentelemetry.js.api.1");

/** Whether an SDK that takes spans has been registered in this process. */
export function tracerRegistered(): boolean {
  const registered: unknown = Reflect.get(globalThis, registry);
  return typeof registered === "object" && registered !== null && "trace" in registered;
}

/**
 * The tracing of a role: with the SDK that is registered at this moment, or none if there is none or `choice` is false.
 */
export async function traced(choice: boolean | TracingChoice | undefined): Promise<Tracing | undefined> {
  if (choice === false || !tracerRegistered()) return undefined;
  const [provider, sampling, tracing, propagation] = await Promise.all([
    import("../observe/trace-provider.ts"),
    import("../observe/sampling.ts"),
    import("../observe/tracing.ts"),
    import("../observe/propagation.ts"),
  ]);
  const tracer = provider.registeredTracer(version);
  if (!tracer) return undefined;
  const options = typeof choice === "object" ? choice : {};
  return new tracing.Tracing({
    tracer,
    sampling: options.sampling ?? sampling.agentSampling,
    queries: options.queries ?? "redacted",
    propagation: options.propagation ?? propagation.registeredPropagation(),
  });
}
