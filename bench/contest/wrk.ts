// Small requests in bulk, by wrk in a process of its own: it costs less per request than anything in Node, so more of the
// machine is left for what is measured. wrk counts bytes but does not look at them, so the same request is made and checked
// in full before and after each run, and what wrk received must be exactly as many answers of that length.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { findProgram } from "../harness/find-program.ts";
import { Program } from "../harness/program.ts";
import { patternStart } from "../targets/pattern.ts";
import { checkedAnswer } from "./checked-answer.ts";

/** Why there is no wrk here; undefined if there is. */
export function missingWrk(): string | undefined {
  return findProgram("wrk") === undefined ? "needs wrk: apt-get install -y wrk" : undefined;
}

/** What is sent, by how many. */
export interface WrkLoad {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  /** The length of the answer's body. */
  readonly answerBytes: number;
  /** The length of the request's body; 0 is a GET. */
  readonly bodyBytes: number;
  readonly connections: number;
  readonly seconds: number;
}

/** What became of it. */
export interface WrkResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What the script prints at the end. */
interface Summary {
  readonly requests: number;
  readonly bytes: number;
  readonly us: number;
  readonly errors: number;
  readonly p50: number;
  readonly p99: number;
}

/** How much longer than asked a run may take, in milliseconds. */
const marginMs = 20_000;

/** Runs it. Rejects with E_GATE if one answer was not as it should be. */
export async function runWrk(load: WrkLoad): Promise<WrkResult> {
  const before = await checkedAnswer(load);
  const summary = await measured(load);
  const after = await checkedAnswer(load);
  const expected = summary.requests * before;
  const tolerated = load.connections * before;
  if (summary.errors > 0 || before !== after || Math.abs(summary.bytes - expected) > tolerated) {
    const sizes = `answers of ${before} bytes before and ${after} after`;
    throw new CaissonError("E_GATE", `wrk saw something else than ${sizes}: ${JSON.stringify(summary)}`);
  }
  return {
    requests: summary.requests,
    seconds: summary.us / 1e6,
    p50Ms: summary.p50 / 1000,
    p99Ms: summary.p99 / 1000,
  };
}

async function measured({ port, host, path, bodyBytes, connections, seconds }: WrkLoad): Promise<Summary> {
  const folder = mkdtempSync(join(tmpdir(), "caisson-bench-wrk-"));
  try {
    const body = join(folder, "body");
    const script = join(folder, "report.lua");
    writeFileSync(body, patternStart(bodyBytes));
    writeFileSync(script, scriptFor(bodyBytes > 0 ? body : undefined));
    const amount = ["-t", "1", "-c", String(connections), "-d", String(seconds), "--timeout", "10"];
    const args = [...amount, "-s", script, "-H", `Host: ${host}`, `http://127.0.0.1:${port}${path}`];
    await using wrk = new Program({ title: "wrk", file: findProgram("wrk") ?? "wrk", args });
    const lines = await wrk.finish(seconds * 1000 + marginMs);
    const found = lines.find((line) => line.startsWith("{"));
    if (found === undefined) throw new CaissonError("E_GATE", `wrk printed no summary:\n${lines.join("\n")}`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own script prints it, below
    return JSON.parse(found) as Summary;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function scriptFor(body: string | undefined): string {
  return `
${body === undefined ? "" : `wrk.method = "POST"\nwrk.body = io.open("${body}", "rb"):read("*a")`}
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\\n{"requests":%d,"bytes":%d,"us":%d,"errors":%d,"p50":%d,"p99":%d}\\n',
    summary.requests, summary.bytes, summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
`;
}
