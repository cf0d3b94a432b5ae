// The part of the OpenTelemetry SDK that is not exported by name: where it is, that it still does what the counting of
// lost spans needs, and that nobody installs another version by accident.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { tracing as Sdk } from "@opentelemetry/sdk-node";
import { loadSdk, sdkVersion } from "../../src/cli/otel-parts.ts";
import { SpanTally } from "../../src/observe/span-tally.ts";
import { readPackageFile } from "../support/package-file.ts";

const advice =
  "another version of @opentelemetry/sdk-node? src/cli/otel-parts.ts must be looked at, and sdkVersion set";

test("the version of the SDK is pinned, and is the one that is known", () => {
  const { optionalDependencies }: { optionalDependencies: Record<string, string> } = JSON.parse(
    readPackageFile("package.json"),
  );
  assert.equal(optionalDependencies["@opentelemetry/sdk-node"], sdkVersion, advice);
  const { version }: { version: string } = JSON.parse(
    readPackageFile("node_modules/@opentelemetry/sdk-node/package.json"),
  );
  assert.equal(version, sdkVersion, advice);
});

test("span processors made of OTEL_* variables tell the given meter what became of spans", async (context) => {
  const variables = {
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
    OTEL_EXPORTER_OTLP_TIMEOUT: "200",
    OTEL_BSP_MAX_QUEUE_SIZE: "2",
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "2",
  };
  context.after(() => {
    for (const name of Object.keys(variables)) delete process.env[name];
  });
  Object.assign(process.env, variables);
  const { sdk, processors } = await loadSdk();
  const tally = new SpanTally();
  const [processor, ...more] = processors.getSpanProcessorsFromEnv(tally.meterProvider());
  assert.ok(processor && more.length === 0, advice);
  // A processor that is full drops; one whose collector is not there fails.
  const held: Sdk.SpanProcessor = {
    ...noProcessor,
    onEnd: (span) => {
      for (let n = 0; n < 5; n += 1) processor.onEnd(span);
    },
  };
  const provider = new sdk.tracing.BasicTracerProvider({ spanProcessors: [held] });
  provider.getTracer("test").startSpan("span").end();
  assert.ok(tally.dropped.queue_full > 0, advice);
  await processor.shutdown().catch(() => undefined);
  const { queue_full: full, export_failed: failed } = tally.dropped;
  assert.deepEqual([full + failed, tally.exported], [5, 0], advice);
});

const noProcessor: Sdk.SpanProcessor = {
  onStart: () => undefined,
  onEnd: () => undefined,
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};
