// The script behind action.yml: how inputs become arguments of the gate, and what a job learns of the outcome. A program
// that only notes its arguments stands in for the gate.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { packagePath, readPackageFile } from "../support/package-file.ts";

const standIn = `
  import { writeFileSync } from "node:fs";
  const args = process.argv.slice(2);
  const after = (flag) => args[args.indexOf(flag) + 1];
  writeFileSync(process.env.ARGS, JSON.stringify(args));
  if (process.env.OUTCOME) {
    writeFileSync(after("--report-json"), JSON.stringify({ outcome: process.env.OUTCOME }));
    writeFileSync(after("--markdown"), "what was found");
  }
  process.exitCode = Number(process.env.CODE);
`;

interface Told {
  readonly status: number | null;
  readonly args: readonly string[];
  readonly outputs: string;
  readonly summary: string;
}

function runIn(folder: string, env: Readonly<Record<string, string>>): Told {
  const at = (name: string): string => join(folder, name);
  writeFileSync(at("stand-in.mjs"), standIn);
  const files = { ARGS: at("args"), GITHUB_OUTPUT: at("outputs"), GITHUB_STEP_SUMMARY: at("summary") };
  const { status } = spawnSync(process.execPath, [packagePath("scripts/gate-in-ci.mjs")], {
    cwd: folder,
    env: { ...process.env, ...files, GATE_MAIN: at("stand-in.mjs"), ...env },
  });
  const text = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");
  return {
    status,
    args: JSON.parse(text(files.ARGS) || "[]") as string[],
    outputs: text(files.GITHUB_OUTPUT),
    summary: text(files.GITHUB_STEP_SUMMARY),
  };
}

function run(env: Readonly<Record<string, string>>): Told {
  const folder = mkdtempSync(join(tmpdir(), "caisson-action-"));
  try {
    return runIn(folder, env);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("inputs become arguments, whatever they hold", () => {
  const { args } = run({
    CODE: "0",
    GATE_MODE: "quick",
    GATE_ATTACH: "127.0.0.1:9229",
    GATE_DRIVER: "my driver.js; echo $HOME",
    GATE_ARGUMENTS: "--clients\n 500 \n",
    GATE_REPORTS: "out",
  });
  const reports = ["report.json", "junit.xml", "summary.md", "report.html", "benchmark.json"];
  const flags = ["--report-json", "--junit", "--markdown", "--html", "--benchmark"];
  const given = "gate --quick --attach 127.0.0.1:9229 --driver".split(" ");
  const written = flags.flatMap((flag, at) => [flag, join("out", reports[at] ?? "")]);
  assert.deepEqual(args, [...given, "my driver.js; echo $HOME", ...written, "--clients", "500"]);
});

for (const [code, reported, outcome] of [
  ["0", "clean", "clean"],
  ["7", "leak", "leak"],
  ["8", "undecided", "undecided"],
  ["0", "undecided", "undecided"],
  ["1", "", "failed"],
] as const) {
  test(`exit code ${code} with ${reported || "no report"} is told as ${outcome}`, () => {
    const { status, outputs, summary } = run({ CODE: code, OUTCOME: reported });
    assert.equal(status, Number(code));
    assert.equal(outputs, `outcome=${outcome}\nexit-code=${code}\nreports=leak-gate\n`);
    assert.equal(summary, reported === "" ? "" : "what was found\n");
  });
}

test("an unknown mode is refused before anything runs", () => {
  const { status, args } = run({ GATE_MODE: "thorough" });
  assert.equal(status, 2);
  assert.deepEqual(args, []);
});

test("action.yml hands on every input that the script reads", () => {
  const action = readPackageFile("action.yml");
  const read = [...readPackageFile("scripts/gate-in-ci.mjs").matchAll(/input\("([\w-]+)"\)/g)].map(
    ([, name]) => name ?? "",
  );
  for (const name of ["attach", "driver", "server", "admin", "admin-token-file", "undecided", "seed", ...read]) {
    const line = `GATE_${name.toUpperCase().replaceAll("-", "_")}: \${{ inputs.${name} }}`;
    assert.ok(action.includes(line), line);
    assert.ok(action.includes(`\n  ${name}:\n    description:`), name);
  }
});
