// The versions of programs that take part or measure, as they tell them themselves.

import { spawnSync } from "node:child_process";
import { version } from "../../src/assemble/version.ts";
import { findProgram } from "../harness/find-program.ts";

/** Ours, and those of nginx and wrk where they are installed. */
export function programVersions(): Readonly<Record<string, string>> {
  const found = [
    ["Caisson", version],
    ["nginx", told("nginx", ["-v"], /nginx\/(\S+)/u)],
    ["wrk", told("wrk", ["-v"], /^wrk (?:debian\/)?(\S+)/u)],
  ] as const;
  return Object.fromEntries(found.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** What a program says of itself, on whichever stream. */
export function told(program: string, args: readonly string[], pattern: RegExp): string | undefined {
  const path = findProgram(program) ?? program;
  const { stdout, stderr } = spawnSync(path, args, { encoding: "utf8", timeout: 10_000 });
  return pattern.exec(`${stdout ?? ""}\n${stderr ?? ""}`.trim())?.[1];
}
