// Runs the gate again and again, each time with another seed, and counts how it ended: how often a clean server is green,
// and how often a seeded leak is found. When: after a change to bench/gate, and before its results are told in docs/ci.md.
// Examples: node scripts/repeat-gate.mjs --runs 100 --expect clean
//           node scripts/repeat-gate.mjs --runs 100 --jobs 2 --expect leak --node PATH_OF_NODE_24 -- --import dist/bench/zoo/slot-8-bytes.js

import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { dist, requireNode, root } from "./prepare.mjs";

requireNode();
const own = process.argv.slice(2);
const end = own.includes("--") ? own.indexOf("--") : own.length;
const gateArgs = own.slice(end + 1);
const { values } = parseArgs({
  args: own.slice(0, end),
  options: {
    runs: { type: "string", default: "20" },
    "first-seed": { type: "string", default: "1" },
    /** Runs at once. Each keeps about one processor busy for most of its time. */
    jobs: { type: "string", default: "1" },
    /** The Node of the gate and of everything that it starts. */
    node: { type: "string", default: process.execPath },
    expect: { type: "string", default: "clean" },
    /** A folder for what runs that did not end as expected wrote: their reports, and what they said. */
    keep: { type: "string" },
    /** The part of the runs that must end as expected. */
    share: { type: "string" },
  },
});
const runs = Number(values.runs);
const share = Number(values.share ?? (values.expect === "clean" ? 1 : 0.95));
const counts = { clean: 0, leak: 0, undecided: 0, failed: 0 };
const outcomes = new Map([
  [0, "clean"],
  [7, "leak"],
  [8, "undecided"],
]);
const folder = mkdtempSync(join(tmpdir(), "caisson-repeat-"));
let begun = 0;
try {
  await Promise.all(Array.from({ length: Math.min(runs, Number(values.jobs)) }, runInTurn));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(
  `${runs} runs: ${Object.entries(counts)
    .map(([outcome, count]) => `${count} ${outcome}`)
    .join(", ")}`,
);
if ((counts[values.expect] ?? 0) < share * runs) process.exitCode = 1;

/** Carries out one run after the other, until none is left to begin. */
async function runInTurn() {
  while (begun < runs) {
    const seed = Number(values["first-seed"]) + begun;
    begun += 1;
    const file = join(folder, `${seed}.json`);
    const args = [join(dist, "src", "cli", "main.js"), "gate", ...gateArgs, "--seed", String(seed)];
    const startedAtMs = performance.now();
    const gate = spawn(values.node, [...args, "--report-json", file], {
      cwd: root,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    gate.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    const [status] = await once(gate, "close");
    const outcome = outcomes.get(status ?? -1) ?? "failed";
    counts[outcome] += 1;
    if (values.keep !== undefined && outcome !== values.expect) keep(`${outcome}-${seed}`, { file, stderr });
    const seconds = Math.round((performance.now() - startedAtMs) / 1_000);
    const said = existsSync(file)
      ? tell(JSON.parse(readFileSync(file, "utf8")))
      : (stderr.trim().split("\n").at(-1) ?? "");
    console.log(`seed ${seed}: ${outcome} in ${seconds} s, ${said}`);
  }
}

/** Keeps what there is of a run. */
function keep(name, { file, stderr }) {
  mkdirSync(values.keep, { recursive: true });
  writeFileSync(join(values.keep, `${name}.txt`), stderr);
  if (existsSync(file)) copyFileSync(file, join(values.keep, `${name}.json`));
}

/** What one run came to, in a few words. */
function tell({ run, verdict }) {
  const [first] = [...verdict.findings, ...verdict.doubts];
  const heap = verdict.slopes.find(({ series }) => series === "heapUsed");
  const range = heap
    ? `heap ${heap.bytesPerConnection.toFixed(2)} [${heap.interval.map((limit) => limit.toFixed(1)).join(", ")}] B`
    : "";
  const found = first ? `; ${first.ledger} ${first.subject}` : "";
  return `Node ${run.node}, ${verdict.connections} connections, ${range}${found}`;
}
