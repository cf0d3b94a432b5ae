// The command line of a bench: `--json` or `--markdown`, a number for each figure of its plan, and `--quick` where a bench
// has a form of seconds.

import { parseArgs } from "node:util";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import type { ReportFormat } from "./report.ts";

/** A plan, and how its results are wanted. */
export interface Asked<Plan> {
  readonly plan: Plan;
  readonly format: ReportFormat;
}

/** Reads `--NAME N` for every name of `standard`. Throws E_USAGE for anything else. */
export function askedPlan<Plan extends Readonly<Record<string, number>>>(
  standard: Plan,
  args: readonly string[] = process.argv.slice(2),
): Asked<Plan> {
  const names = Object.keys(standard);
  const { values } = parse(names, args);
  const given = names.flatMap((name) => {
    const text = values[name];
    return typeof text === "string" ? [[name, count(name, text)] as const] : [];
  });
  return { plan: { ...standard, ...Object.fromEntries(given) }, format: formatOf(values) };
}

/** The same, where `--quick` stands for a plan of seconds that only proves that the bench runs. */
export function askedSize<Plan extends Readonly<Record<string, number>>>(
  plans: { readonly standard: Plan; readonly quick: Plan },
  args: readonly string[] = process.argv.slice(2),
): Asked<Plan> {
  const asked = args.filter((arg) => arg !== "--quick");
  return askedPlan(asked.length === args.length ? plans.standard : plans.quick, asked);
}

function parse(names: readonly string[], args: readonly string[]): { values: Record<string, unknown> } {
  const numbers = Object.fromEntries(names.map((name) => [name, { type: "string" as const }]));
  try {
    return parseArgs({
      args: [...args],
      options: { ...numbers, json: { type: "boolean" }, markdown: { type: "boolean" } },
    });
  } catch (error) {
    throw new CaissonError(
      "E_USAGE",
      `this bench knows --json, --markdown, ${names.map((name) => `--${name} N`).join(", ")}`,
      {
        cause: error,
      },
    );
  }
}

function formatOf(values: Readonly<Record<string, unknown>>): ReportFormat {
  if (values["json"] === true) return "json";
  return values["markdown"] === true ? "markdown" : "text";
}

function count(name: string, text: string): number {
  if (/^\d{1,9}$/u.test(text) && Number(text) > 0) return Number(text);
  throw new CaissonError("E_USAGE", `--${name} ${text} is no number above 0`);
}
