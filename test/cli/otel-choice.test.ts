// When the command line loads an SDK: a flag or an endpoint, and nothing else.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Invocation } from "../../src/cli/invocation.ts";
import { parseCommandLine } from "../../src/cli/command-line.ts";
import { wantsOtel } from "../../src/cli/otel.ts";

function parse(...argv: string[]): Promise<Invocation> {
  return parseCommandLine({ argv, env: {}, version: "0.0.0", write: () => undefined });
}

const endpoint = "http://127.0.0.1:4318";
const cases: readonly (readonly [argv: string, env: Record<string, string>, wanted: boolean])[] = [
  ["serve", {}, false],
  ["serve --otel", {}, true],
  ["8000 --otel", {}, true],
  ["demo --otel", {}, true],
  ["serve", { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }, true],
  ["serve", { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint }, true],
  ["serve", { OTEL_EXPORTER_ZIPKIN_ENDPOINT: endpoint }, false],
  ["serve", { OTEL_EXPORTER_ZIPKIN_ENDPOINT: endpoint, OTEL_TRACES_EXPORTER: "zipkin" }, true],
  ["serve", { OTEL_EXPORTER_ZIPKIN_ENDPOINT: endpoint, OTEL_TRACES_EXPORTER: "otlp, zipkin" }, true],
  ["serve", { OTEL_EXPORTER_ZIPKIN_ENDPOINT: endpoint, OTEL_TRACES_EXPORTER: "otlp" }, false],
  ["serve", { OTEL_EXPORTER_ZIPKIN_ENDPOINT: " ", OTEL_TRACES_EXPORTER: "zipkin" }, false],
  ["serve --otel", { OTEL_TRACES_EXPORTER: "zipkin" }, true],
  ["serve", { OTEL_EXPORTER_OTLP_ENDPOINT: " " }, false],
  ["serve", { OTEL_SERVICE_NAME: "x", OTEL_TRACES_SAMPLER: "always_on" }, false],
  ["serve --otel", { OTEL_SDK_DISABLED: "true" }, false],
  ["serve --otel", { OTEL_SDK_DISABLED: "false" }, true],
  ["serve --otel", { OTEL_TRACES_EXPORTER: "none" }, false],
  ["gate", { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }, false],
];
for (const [argv, env, wanted] of cases) {
  test(`caisson ${argv} with ${JSON.stringify(env)} ${wanted ? "loads" : "leaves"} the SDK`, async () => {
    assert.equal(wantsOtel(await parse(...argv.split(" ")), env), wanted);
  });
}
