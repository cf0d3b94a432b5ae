// Tables of what a contest found, in Markdown: a table for each metric with a column for each contestant, or a table for
// each scenario with a row for each contestant. Pure.

import type { Ratio } from "../harness/statistics.ts";
import { spreadOf } from "../harness/statistics.ts";
import type { Found } from "./contest.ts";
import type { Division, Figures, MetricName } from "./division.ts";
import { metrics } from "./division.ts";
import { ratioOf } from "./goals.ts";

/** For few contestants: the last column compares two of them. */
export function tablesByScenario({
  found,
  division: { title, contestants, scenarios, metrics: shown },
  compared,
}: {
  readonly found: Found;
  readonly division: Division;
  readonly compared: { readonly contestant: string; readonly against: string };
}): readonly string[] {
  const names = contestants.map(({ name }) => name);
  return shown.flatMap((metric) => {
    const rows = scenarios.flatMap(({ name: scenario }) => {
      const samples = found[title]?.[scenario] ?? {};
      const cells = names.map((name) => cellOf(samples[name], metric));
      if (cells.every((cell) => cell === "")) return [];
      return [[scenario, ...cells, ratioText(ratioOf(found, { division: title, scenario, metric, ...compared }))]];
    });
    if (rows.length === 0) return [];
    const columns = [title, ...names, `${compared.contestant} / ${compared.against} (95 %)`];
    return [`**${title}: ${metrics[metric]}**, median (quartiles)`, "", ...tableOf([columns, ...rows]), ""];
  });
}

/** For many contestants: the last column sets one in relation to each, by the first metric that the scenario has. */
export function tablesByContestant({
  found,
  division: { title, contestants, scenarios, metrics: shown },
  contestant,
}: {
  readonly found: Found;
  readonly division: Division;
  readonly contestant: string;
}): readonly string[] {
  return scenarios.flatMap(({ name: scenario }) => {
    const samples = found[title]?.[scenario] ?? {};
    const present = contestants.map(({ name }) => name).filter((name) => (samples[name] ?? []).length > 0);
    const used = shown.filter((metric) => present.some((name) => cellOf(samples[name], metric) !== ""));
    const [first] = used;
    if (first === undefined) return [];
    const columns = ["", ...used.map((metric) => metrics[metric]), `${metrics[first]}, ${contestant} / it (95 %)`];
    const rows = present.map((name) => {
      const ratio = ratioOf(found, { division: title, scenario, metric: first, contestant, against: name });
      const cells = used.map((metric) => cellOf(samples[name], metric));
      return [name, ...cells, name === contestant ? "" : ratioText(ratio)];
    });
    return [`**${title}: ${scenario}**, median (quartiles)`, "", ...tableOf([columns, ...rows]), ""];
  });
}

/** A ratio and its interval; empty where there is none. */
export function ratioText(ratio: Ratio | undefined): string {
  if (ratio === undefined) return "";
  if (ratio.pairs === 1) return `${ratio.ratio.toFixed(2)} (one round)`;
  return `${ratio.ratio.toFixed(2)} (${ratio.lower.toFixed(2)} to ${ratio.upper.toFixed(2)})`;
}

/** A table in the form that formatters of Markdown leave alone: every column as wide as its widest cell. */
export function tableOf(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(3, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? "").padEnd(width)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  const [head = [], ...others] = rows;
  return [line(head), rule, ...others.map(line)];
}

function cellOf(samples: readonly Figures[] | undefined, metric: MetricName): string {
  const values = (samples ?? []).map((figures) => figures[metric]).filter((value) => value !== undefined);
  if (values.length === 0) return "";
  const { median, lowerQuartile, upperQuartile } = spreadOf(values);
  return `${rounded(median)} (${rounded(lowerQuartile)} to ${rounded(upperQuartile)})`;
}

/** Three digits are all that such a machine tells. */
function rounded(value: number): string {
  return String(Number(value.toPrecision(3)));
}
