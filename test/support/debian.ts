// Programs that tests drive but npm does not bring. A test that finds its program missing is skipped with the command
// that installs it; under CI, where .ci/run installs everything, it fails instead.

import { findProgram as find } from "../../bench/harness/find-program.ts";

/** Programs and the Debian packages that hold them; .ci/run installs the same packages. */
const packages = {
  chromium: "chromium",
  haproxy: "haproxy",
  nginx: "nginx",
  openssl: "openssl",
  prometheus: "prometheus",
  "redis-benchmark": "redis-tools",
  "redis-cli": "redis-tools",
  "redis-server": "redis-server",
  tinyproxy: "tinyproxy",
  promtool: "prometheus",
  slowhttptest: "slowhttptest",
  "systemd-analyze": "systemd",
  wrk: "wrk",
} as const;

/** A program that tests drive. */
export type DebianProgram = keyof typeof packages;

/** Options for node:test's test(): skips where the program is missing, unless CI is set. */
export interface SkipOption {
  readonly skip: string | false;
}

/** The path of a program, or undefined. System directories are searched even when PATH leaves them out. */
export function findProgram(program: DebianProgram): string | undefined {
  return find(program);
}

/** To be spread into the options of every test that needs the program. Throws under CI if it is missing. */
export function needs(program: DebianProgram): SkipOption {
  if (findProgram(program) !== undefined) return { skip: false };
  const command = `apt-get install -y ${packages[program]}`;
  if ((process.env["CI"] ?? "") !== "") throw new Error(`${program} is missing under CI; .ci/run must do: ${command}`);
  return { skip: `needs ${program}: ${command}` };
}
