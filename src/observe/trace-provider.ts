// Finds the OpenTelemetry SDK that somebody has registered in this process: the command line, or an agent of the user's.
// It registers nothing itself.

import type { Tracer } from "@opentelemetry/api";
import { ProxyTracerProvider, trace } from "@opentelemetry/api";

/** The tracer of the registered SDK; undefined if there is none, so that nobody makes spans for nobody. */
export function registeredTracer(version: string): Tracer | undefined {
  const provider = trace.getTracerProvider();
  // Without an SDK the API answers with a proxy that has nobody behind it.
  if (provider instanceof ProxyTracerProvider) return provider.getDelegateTracer("caisson", version);
  return provider.getTracer("caisson", version);
}
