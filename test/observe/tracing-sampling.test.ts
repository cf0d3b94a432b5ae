// Who decides what is recorded: the ratio, a caller that is believed, or the sampler of somebody else's SDK.

import assert from "node:assert/strict";
import { test } from "node:test";
import { tracing as sdk } from "@opentelemetry/sdk-node";
import type { SamplerSettings } from "../../src/observe/sampling.ts";
import { agentSampling, RatioSampling, samplerSettings, samplerTrouble } from "../../src/observe/sampling.ts";

const parent = (sampled: boolean, traceId = "0af7651916cd43dd8448eb211c80319c") => ({
  traceId,
  spanId: "b7ad6b7169203331",
  sampled,
});

const settings: readonly (readonly [sampler: string | undefined, arg: string | undefined, SamplerSettings])[] = [
  [undefined, undefined, { ratio: 1, obeysParent: true }],
  ["", "", { ratio: 1, obeysParent: true }],
  ["always_on", "0.5", { ratio: 1, obeysParent: false }],
  ["always_off", undefined, { ratio: 0, obeysParent: false }],
  ["traceidratio", "0.25", { ratio: 0.25, obeysParent: false }],
  ["parentbased_always_on", undefined, { ratio: 1, obeysParent: true }],
  ["parentbased_always_off", undefined, { ratio: 0, obeysParent: true }],
  ["parentbased_traceidratio", "0.01", { ratio: 0.01, obeysParent: true }],
  [" parentbased_traceidratio ", " 0.01 ", { ratio: 0.01, obeysParent: true }],
  ["parentbased_traceidratio", undefined, { ratio: 1, obeysParent: true }],
  ["traceidratio", "2", { ratio: 1, obeysParent: false }],
  ["traceidratio", "-1", { ratio: 1, obeysParent: false }],
  ["traceidratio", "much", { ratio: 1, obeysParent: false }],
  ["nonsense", "0.1", { ratio: 1, obeysParent: true }],
];
for (const [sampler, arg, expected] of settings) {
  test(`OTEL_TRACES_SAMPLER=${sampler} OTEL_TRACES_SAMPLER_ARG=${arg}`, () => {
    const env = { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: arg };
    assert.deepEqual(samplerSettings(env), expected);
  });
}

test("what is not understood of the sampler's variables is told, and nothing else", () => {
  const trouble = (sampler?: string, arg?: string): string | undefined =>
    samplerTrouble({ OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: arg });
  assert.equal(trouble(), undefined);
  assert.equal(trouble(" ", "much"), undefined);
  assert.equal(trouble("always_off", "much"), undefined);
  assert.equal(trouble("parentbased_traceidratio", " 0.01 "), undefined);
  assert.match(trouble("parentbased_traceidratio") ?? "", /OTEL_TRACES_SAMPLER_ARG "" is no number/u);
  assert.match(trouble("traceidratio", "2") ?? "", /OTEL_TRACES_SAMPLER_ARG "2" is no number/u);
  assert.match(
    trouble("jaeger_remote") ?? "",
    /OTEL_TRACES_SAMPLER "jaeger_remote" is unknown; using parentbased_always_on/u,
  );
});

test("a stranger's flag changes nothing, in either direction", () => {
  for (const obeysParent of [true, false]) {
    for (const sampled of [true, false]) {
      const never = new RatioSampling({ ratio: 0.01, obeysParent }, () => 0.5);
      assert.equal(never.decide(parent(sampled), "stranger"), false);
      const always = new RatioSampling({ ratio: 0.01, obeysParent }, () => 0.001);
      assert.equal(always.decide(parent(sampled), "stranger"), true);
    }
  }
});

test("a stranger gets the same share whatever trace id it chooses", () => {
  const sampling = new RatioSampling({ ratio: 0.1, obeysParent: false });
  let recorded = 0;
  for (let n = 0; n < 20_000; n += 1)
    if (sampling.decide(parent(true, `${"0".repeat(31)}1`), "stranger")) recorded += 1;
  assert.ok(recorded > 1_500 && recorded < 2_500, String(recorded));
});

test("who is believed decides, if the sampler is parent-based", () => {
  const sampling = new RatioSampling({ ratio: 0, obeysParent: true });
  assert.equal(sampling.decide(parent(true), "believed"), true);
  assert.equal(sampling.decide(parent(false), "believed"), false);
  assert.equal(sampling.decide(undefined, "believed"), false);
  const all = new RatioSampling({ ratio: 1, obeysParent: true });
  assert.equal(all.decide(parent(false), "believed"), false);
  assert.equal(all.decide(undefined, "believed"), true);
});

test("without a parent-based sampler, believed traces are picked as OpenTelemetry's ratio sampler picks them", () => {
  const ratio = 0.3;
  const sampler = new sdk.TraceIdRatioBasedSampler(ratio);
  const theirs = new sdk.BasicTracerProvider({ sampler }).getTracer("test");
  const ours = new RatioSampling({ ratio, obeysParent: false });
  for (let n = 0; n < 500; n += 1) {
    const span = theirs.startSpan("root", { root: true });
    assert.equal(ours.decide(parent(false, span.spanContext().traceId), "believed"), span.isRecording());
  }
});

test("rare events are recorded unless nothing is", () => {
  assert.equal(new RatioSampling({ ratio: 0.001, obeysParent: true }).notable, true);
  assert.equal(new RatioSampling({ ratio: 0, obeysParent: true }).notable, false);
});

test("an agent's sampler is asked about everything, when the span is made, and never of a stranger's trace", () => {
  for (const caller of ["stranger", "believed"] as const) {
    for (const trace of [undefined, parent(true), parent(false)])
      assert.equal(agentSampling.decide(trace, caller), true);
  }
  assert.deepEqual([agentSampling.joinsStrangers, agentSampling.obeysParent], [false, false]);
});
