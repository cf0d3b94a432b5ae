// Runs `caisson gate` as action.yml asks by GATE_* variables: writes every report into one folder, the Markdown into the
// job's summary and the outcome into its outputs, and ends with the gate's exit code. It judges nothing itself.
// Example: GATE_MODE=quick node scripts/gate-in-ci.mjs

import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { dist } from "./prepare.mjs";

const { env } = process;
const outcomes = new Map([
  [0, "clean"],
  [7, "leak"],
  [8, "undecided"],
]);
const modes = new Map([
  ["quick", ["--quick"]],
  ["default", []],
  ["soak", ["--soak"]],
]);
/** Inputs that are handed on as they are. */
const handedOn = ["attach", "driver", "server", "admin", "admin-token-file", "undecided", "seed"];
const reportFiles = {
  "report-json": "report.json",
  junit: "junit.xml",
  markdown: "summary.md",
  html: "report.html",
  benchmark: "benchmark.json",
};

const input = (name) => env[`GATE_${name.toUpperCase().replaceAll("-", "_")}`]?.trim() ?? "";

const mode = modes.get(input("mode") || "default");
if (!mode) fail(`mode is quick, default or soak, not ${JSON.stringify(input("mode"))}`);
const folder = input("reports") || "leak-gate";
mkdirSync(folder, { recursive: true });
const args = [
  ...mode,
  ...handedOn.flatMap((name) => (input(name) === "" ? [] : [`--${name}`, input(name)])),
  ...Object.entries(reportFiles).flatMap(([flag, file]) => [`--${flag}`, join(folder, file)]),
  ...input("arguments")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== ""),
];

const main = env.GATE_MAIN ?? join(dist, "src", "cli", "main.js");
const { status, error } = spawnSync(process.execPath, [main, "gate", ...args], { stdio: "inherit" });
if (error) fail(error.message);
// A gate that a signal ended has decided nothing.
const code = status ?? 1;
const outcome = outcomes.get(code) ?? "failed";
// With --undecided pass the exit code is 0; the report knows better.
const reported = reportedOutcome(join(folder, reportFiles["report-json"]));

tell(
  env.GITHUB_OUTPUT,
  `outcome=${outcome === "clean" ? (reported ?? outcome) : outcome}\nexit-code=${code}\nreports=${folder}\n`,
);
const summary = join(folder, reportFiles.markdown);
if (existsSync(summary)) tell(env.GITHUB_STEP_SUMMARY, `${readFileSync(summary, "utf8")}\n`);
process.exitCode = code;

function reportedOutcome(file) {
  if (!existsSync(file)) return undefined;
  const report = JSON.parse(readFileSync(file, "utf8"));
  return report.outcome ?? report.verdict?.outcome;
}

function tell(file, text) {
  if (file) appendFileSync(file, text);
}

function fail(sentence) {
  console.error(`leak gate: ${sentence}`);
  process.exit(2);
}
