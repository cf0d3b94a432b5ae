// Content negotiation, and the older text format as derived from OpenMetrics.

import assert from "node:assert/strict";
import { test } from "node:test";
import { boundText, negotiateFormat, textFromOpenMetrics } from "../../src/observe/exposition-format.ts";

const accepts: readonly (readonly [string | undefined, "openmetrics" | "text"])[] = [
  [undefined, "text"],
  ["", "text"],
  ["*/*", "text"],
  ["text/html,application/xhtml+xml,*/*;q=0.8", "text"],
  ["text/plain", "text"],
  ["application/openmetrics-text", "openmetrics"],
  ["application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "openmetrics"],
  [
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;q=0.3",
    "openmetrics",
  ],
  ["application/openmetrics-text;q=0.2, text/plain;q=0.9", "text"],
  ["application/openmetrics-text;q=0", "text"],
  ["Application/OpenMetrics-Text ; Q=0.9", "openmetrics"],
  ["application/openmetrics-text;q=nonsense", "text"],
  [`${"x,".repeat(5_000)}application/openmetrics-text`, "text"],
];

for (const [accept, format] of accepts) {
  test(`Accept: ${String(accept).slice(0, 60)} gets ${format}`, () => {
    assert.equal(negotiateFormat(accept), format);
  });
}

test("the text format gets suffixes on counters and loses exemplars and the end", () => {
  const openMetrics = [
    "# HELP a_b Counts.",
    "# TYPE a_b counter",
    'a_b_total{x="1 # {2} 3"} 4 # {trace_id="t"} 1 2.5',
    "# HELP g Gauge.",
    "# TYPE g gauge",
    "g 1",
    "# TYPE h histogram",
    'h_bucket{le="1.0"} 2 # {trace_id="t"} 0.5 1',
    "h_sum 3",
    "# EOF",
    "",
  ].join("\n");
  assert.equal(
    textFromOpenMetrics(openMetrics),
    [
      "# HELP a_b_total Counts.",
      "# TYPE a_b_total counter",
      'a_b_total{x="1 # {2} 3"} 4',
      "# HELP g Gauge.",
      "# TYPE g gauge",
      "g 1",
      "# TYPE h histogram",
      'h_bucket{le="1.0"} 2',
      "h_sum 3",
      "",
    ].join("\n"),
  );
});

test("bounds are written so that both formats and every Prometheus call a bucket the same", () => {
  const bounds = [0.005, 1, 2.5, 10, undefined];
  assert.deepEqual(bounds.map(boundText), ["0.005", "1.0", "2.5", "10.0", "+Inf"]);
});
