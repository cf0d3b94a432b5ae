// The OpenTelemetry SDK of the command line: configured by OTEL_* variables as the SDK reads them, registered once, and shut
// down within two seconds whatever the collector does. It keeps no context per asynchronous operation, because Caisson
// passes contexts by hand: nothing of a request can be pinned by a socket that lives longer.

import type { Context, ContextManager } from "@opentelemetry/api";
import type { NodeSDKConfiguration } from "@opentelemetry/sdk-node";
import { Deadlines } from "../lifecycle/deadlines.ts";
import { noEvents } from "../lifecycle/events.ts";
import { RatioSampling, samplerSettings, samplerTrouble } from "../observe/sampling.ts";
import type { TracingChoice } from "../assemble/tracing-options.ts";
import type { Queries } from "../observe/span-attributes.ts";
import { TraceIds } from "../observe/trace-ids.ts";
import { SpanTally } from "../observe/span-tally.ts";
import type { Environment } from "./environment.ts";
import { SdkDiagnostics } from "./otel-diagnostics.ts";
import { loadSdk } from "./otel-parts.ts";
import type { Telemetry } from "./otel.ts";

/** The longest wait for the last spans, in milliseconds. */
const shutdownMs = 2_000;

/** What the SDK is to be. */
export interface SdkOptions {
  readonly env: Environment;
  /** The name of the service, unless the environment has one. */
  readonly service: string;
  readonly queries: Queries;
  /** Hears in words why spans were lost; not more often than every ten seconds. */
  readonly onTrouble: (text: string) => void;
}

/** Records what it is given: Caisson has decided before it asks. */
const recordAll = { shouldSample: () => ({ decision: 2 }), toString: () => "Caisson" };

/** A context manager without any memory. The SDK's own would follow every promise and socket of the process for nothing. */
function rootOnly(root: Context): ContextManager {
  const manager: ContextManager = {
    active: () => root,
    with: (_, call, self, ...args) => call.apply(self, args),
    bind: (_, target) => target,
    enable: () => manager,
    disable: () => manager,
  };
  return manager;
}

/** Loads, configures and registers the SDK. Throws E_CONFIG if it is not there. */
export async function startSdk({ env, service, queries, onTrouble }: SdkOptions): Promise<Telemetry> {
  const { sdk, processors } = await loadSdk();
  const tally = new SpanTally();
  const ids = new TraceIds();
  const diagnostics = new SdkDiagnostics(onTrouble);
  diagnostics.listen(sdk, env);
  const configuration: Partial<NodeSDKConfiguration> = {
    sampler: recordAll,
    idGenerator: { generateTraceId: () => ids.traceId(), generateSpanId: () => ids.spanId() },
    spanProcessors: processors.getSpanProcessorsFromEnv(tally.meterProvider()),
    contextManager: rootOnly(sdk.api.ROOT_CONTEXT),
    instrumentations: [],
    ...(namesService(env) ? {} : { serviceName: service }),
    // Metrics and logs leave Caisson by other ways; what the SDK has of its own is sent only if somebody asks for it.
    ...((env["OTEL_METRICS_EXPORTER"] ?? "") === "" ? { metricReaders: [] } : {}),
    ...((env["OTEL_LOGS_EXPORTER"] ?? "") === "" ? { logRecordProcessors: [] } : {}),
  };
  const node = diagnostics.quietly(() => new sdk.NodeSDK(configuration));
  node.start();
  const trouble = samplerTrouble(env);
  if (trouble !== undefined) diagnostics.tell(trouble);
  diagnostics.started();
  const tracing: TracingChoice = {
    sampling: new RatioSampling(samplerSettings(env)),
    queries,
    exports: tally,
    // The SDK registers no propagator for `none`, nor if it knows none of the names.
    ...(sdk.api.propagation.fields().length === 0 ? { propagation: "none" } : {}),
  };
  return { tracing, close: () => within(node.shutdown()) };
}

/** Waits for at most {@link shutdownMs}; false if it took longer. An export that failed is over, too. */
async function within(closing: Promise<void>): Promise<boolean> {
  let expire: () => void = () => undefined;
  const expired = new Promise<boolean>((resolve) => {
    expire = () => resolve(false);
  });
  const deadline = new Deadlines({ events: noEvents }).create(expire);
  deadline.arm(shutdownMs);
  const over = (): boolean => true;
  try {
    return await Promise.race([closing.then(over, over), expired]);
  } finally {
    deadline.dispose();
  }
}

function namesService(env: Environment): boolean {
  return (
    (env["OTEL_SERVICE_NAME"] ?? "") !== "" ||
    /(?:^|,)\s*service\.name\s*=/u.test(env["OTEL_RESOURCE_ATTRIBUTES"] ?? "")
  );
}
