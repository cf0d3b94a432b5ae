// Propagators that are not W3C's: what they may read and write.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Context, TextMapGetter, TextMapSetter } from "@opentelemetry/api";
import { trace } from "@opentelemetry/api";
import { registeredPropagation, TextPropagation } from "../../src/observe/propagation.ts";
import { fakeExchange } from "./fakes.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";

/** Reads `x-trace: TRACE SPAN`, upper-case or not; writes whatever it is told to. */
function propagator(
  written: readonly (readonly [string, string])[] = [],
): ConstructorParameters<typeof TextPropagation>[0] {
  return {
    extract: <Carrier>(context: Context, carrier: Carrier, getter: TextMapGetter<Carrier> | undefined) => {
      const value = getter?.get(carrier, "X-Trace");
      const [id = "", span = ""] = typeof value === "string" ? value.split(" ") : [];
      return trace.setSpanContext(context, { traceId: id, spanId: span, traceFlags: 1 });
    },
    inject: <Carrier>(_: Context, carrier: Carrier, setter: TextMapSetter<Carrier> | undefined) => {
      for (const [name, value] of written) setter?.set(carrier, name, value);
    },
  };
}

test("a process without a registered propagator speaks W3C Trace Context", () => {
  assert.equal(registeredPropagation(), "w3c");
});

test("what a propagator reads is made regular, and nonsense is nobody", () => {
  const propagation = new TextPropagation(propagator(), ["x-trace"]);
  const parentOf = (value: string): unknown => propagation.parentOf(fakeExchange({ fields: { "x-trace": value } }));
  const parent = { traceId, spanId, sampled: true, state: "" };
  assert.deepEqual(parentOf(`${traceId} ${spanId}`), parent);
  for (const value of [
    "",
    "x",
    `${traceId} `,
    `${"0".repeat(32)} ${spanId}`,
    `${traceId} ${spanId} ${"x".repeat(600)}`,
  ]) {
    assert.equal(parentOf(value), undefined, value);
  }
  assert.equal(propagation.parentOf(fakeExchange({})), undefined);
});

test("what a propagator writes is one line each, or nothing", () => {
  const written = [
    ["X-Trace", "1 2"],
    ["bad name", "x"],
    ["injected", "x\r\nHost: evil"],
    ["empty", ""],
    ["TraceParent", "mine"],
  ] as const;
  const propagation = new TextPropagation(propagator(written), ["x-trace"]);
  const context = { traceId, spanId, sampled: true };
  assert.equal(propagation.linesFor(context), "X-Trace: 1 2\r\nTraceParent: mine\r\n");
  assert.equal(propagation.linesFor(context, "w3c"), "X-Trace: 1 2\r\n");
});
