// Whether a command sends spans, and the end of it. The SDK is loaded only if so; whatever agent the user has set up in
// this process stays as it is and is used instead.

import type { TracingChoice } from "../assemble/tracing-options.ts";
import { tracerRegistered } from "../assemble/tracing-options.ts";
import type { Environment } from "./environment.ts";
import type { Invocation } from "./invocation.ts";

/** The SDK at work. */
export interface Telemetry {
  /** For serve() and connect(). */
  readonly tracing: TracingChoice;
  /** Sends what is left, for at most two seconds. False if that was too short: what still waits must be abandoned. */
  close(): Promise<boolean>;
}

/** Where spans may be sent to, without more words. */
const endpoints = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] as const;
const zipkinEndpoint = "OTEL_EXPORTER_ZIPKIN_ENDPOINT";

/** Whether the command line or the environment ask for an SDK. */
export function wantsOtel(invocation: Invocation, env: Environment): boolean {
  if (!("otel" in invocation) || isTrue(env["OTEL_SDK_DISABLED"]) || env["OTEL_TRACES_EXPORTER"]?.trim() === "none") {
    return false;
  }
  return invocation.otel.asked || endpoints.some((name) => isSet(env, name)) || sendsToZipkin(env);
}

/** The SDK heeds Zipkin's endpoint only where the exporter is named too. */
function sendsToZipkin(env: Environment): boolean {
  const exporters = (env["OTEL_TRACES_EXPORTER"] ?? "").split(",").map((name) => name.trim());
  return exporters.includes("zipkin") && isSet(env, zipkinEndpoint);
}

/** Starts the SDK if it is asked for and nobody else has. Throws E_CONFIG if it is not installed. */
export async function startOtel(
  invocation: Invocation,
  ground: { readonly env: Environment; readonly onTrouble: (text: string) => void },
): Promise<Telemetry | undefined> {
  if (!wantsOtel(invocation, ground.env) || tracerRegistered() || !("otel" in invocation)) return undefined;
  const { startSdk } = await import("./otel-sdk.ts");
  return startSdk({ ...ground, service: `caisson-${names[invocation.command]}`, queries: invocation.otel.queries });
}

/** What a process is called unless OTEL_SERVICE_NAME says so. */
const names = { serve: "server", http: "client", start: "client", demo: "demo" } as const;

function isSet(env: Environment, name: string): boolean {
  return (env[name] ?? "").trim() !== "";
}

function isTrue(text: string | undefined): boolean {
  return text?.trim().toLowerCase() === "true";
}
