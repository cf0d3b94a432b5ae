// The gate's numbers as the array that github-action-benchmark reads with `tool: customSmallerIsBetter`, to follow them over commits.

import { amount } from "../verdict/sentences.ts";
import type { GateReport } from "./run-facts.ts";

interface Entry {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** Half the width of the 95 % interval. */
  readonly range?: string;
  readonly extra?: string;
}

/** A JSON array: slopes of memory, the number of findings and doubts, whether the run failed, and the time the run took. */
export function benchmarkArray({ verdict, facts, failure, jit }: GateReport): string {
  const entries: Entry[] = [];
  const modes = [{ name: facts.mode, slopes: verdict.slopes }];
  if (jit !== undefined) modes.push({ name: "jit", slopes: jit.verdict.slopes });
  for (const { name: mode, slopes } of modes) {
    for (const { series, bytesPerConnection, interval } of slopes) {
      if (series.startsWith("space:")) continue;
      const [lower, upper] = interval;
      entries.push({
        name: `gate ${series} (${mode})`,
        unit: "bytes/connection",
        value: bytesPerConnection,
        range: `± ${amount((upper - lower) / 2)}`,
        extra: `95 % interval ${amount(lower)} to ${amount(upper)}, Node ${facts.node}, seed ${facts.seed}`,
      });
    }
  }
  entries.push(
    { name: "gate leaks", unit: "findings", value: verdict.findings.length },
    { name: "gate doubts", unit: "findings", value: verdict.doubts.length },
    { name: "gate failures", unit: "runs", value: failure === undefined ? 0 : 1 },
    { name: "gate time", unit: "s", value: Math.round(facts.elapsedMs / 100) / 10 },
  );
  return `${JSON.stringify(entries, undefined, 2)}\n`;
}
