// The command line of a contest: a number for each figure of its plan, `--quick` for a plan of seconds, `--json FILE`, and
// `--divisions TITLE,TITLE` or `--divisions all` for those that are run.

import { parseArgs } from "node:util";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import type { Division } from "./division.ts";

/** What was asked for. */
export interface AskedContest<Plan> {
  readonly plan: Plan;
  /** Whether the figures prove nothing, because the plan is only to show that everything runs. */
  readonly quick: boolean;
  readonly jsonFile: string | undefined;
  /** Titles of divisions, or "all"; undefined: those that the bench runs by itself. */
  readonly asked: readonly string[] | undefined;
}

/** Reads it. Throws E_USAGE for anything unknown. */
export function askedContest<Plan extends Readonly<Record<string, number>>>(
  plans: { readonly standard: Plan; readonly quick: Plan },
  args: readonly string[] = process.argv.slice(2),
): AskedContest<Plan> {
  const names = Object.keys(plans.standard);
  const values = parse(names, args);
  const quick = values["quick"] === true;
  const given = names.flatMap((name) => {
    const text = values[name];
    return typeof text === "string" ? [[name, count(name, text)] as const] : [];
  });
  return {
    plan: { ...(quick ? plans.quick : plans.standard), ...Object.fromEntries(given) },
    quick,
    jsonFile: textOf(values["json"]),
    asked: textOf(values["divisions"])
      ?.split(",")
      .map((title) => title.trim()),
  };
}

/** Those of `divisions` with a title that was asked for. Throws E_USAGE if one has none. */
export function chosenOf(
  divisions: readonly Division[],
  asked: readonly string[] | undefined = ["all"],
): readonly Division[] {
  const titles = divisions.map(({ title }) => title);
  const unknown = asked.filter((title) => title !== "all" && !titles.includes(title));
  if (unknown.length > 0) {
    throw new CaissonError("E_USAGE", `no division is called "${unknown[0]}": there are ${titles.join(", ")}, and all`);
  }
  return asked.includes("all") ? divisions : divisions.filter(({ title }) => asked.includes(title));
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function parse(names: readonly string[], args: readonly string[]): Readonly<Record<string, unknown>> {
  const texts = [...names, "json", "divisions"].map((name) => [name, { type: "string" as const }]);
  try {
    const options = { ...Object.fromEntries(texts), quick: { type: "boolean" as const } };
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    const numbers = names.map((name) => `--${name} N`).join(", ");
    throw new CaissonError("E_USAGE", `this bench knows --quick, --json FILE, --divisions TITLE,TITLE, ${numbers}`, {
      cause: error,
    });
  }
}

function count(name: string, text: string): number {
  if (/^\d{1,9}$/u.test(text) && Number(text) > 0) return Number(text);
  throw new CaissonError("E_USAGE", `--${name} ${text} is no number above 0`);
}
