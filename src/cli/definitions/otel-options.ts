// The flags of tracing, which all roles share.

import type { Command } from "commander";
import type { OtelInvocation } from "../invocation.ts";

interface OtelFlags {
  readonly otel?: boolean;
  readonly otelQueries?: boolean;
}

/** Adds the flags. */
export function addOtelOptions(command: Command): void {
  command
    .optionsGroup("Tracing (every OTEL_* variable works):")
    .option("--otel", "send OpenTelemetry spans, to http://localhost:4318 unless OTEL_EXPORTER_OTLP_ENDPOINT is set")
    .option("--otel-queries", "record the queries of URLs, which may hold secrets");
}

/** What the flags of a parsed command come to. */
export function otelOf(command: Command): OtelInvocation {
  const { otel, otelQueries } = command.opts<OtelFlags>();
  return { asked: otel === true, queries: otelQueries === true ? "recorded" : "redacted" };
}
