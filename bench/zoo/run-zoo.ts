// `npm run bench:zoo`: runs the gate once for each seed, and says whether it found it, how it named it, and what it took.
// Exits with 1 if a seed was missed or misnamed, or if what is no leak was reported.
// Example: npm run bench:zoo -- --quick --only slot-8-bytes --only clean/cache-to-cap

import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import type { GateRequest } from "../gate/options.ts";
import { Progress } from "../gate/progress.ts";
import { runGate } from "../gate/run.ts";
import type { Finding } from "../gate/verdict/finding.ts";
import type { Expectation } from "./expectations.ts";
import { healthy, seeds } from "./expectations.ts";

/** What became of one seed. */
interface Result {
  readonly seed: string;
  readonly good: boolean;
  readonly outcome: string;
  readonly named: string;
  readonly connections: number;
  readonly seconds: number;
}

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    quick: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    verbose: { type: "boolean", default: false },
  },
});

const chosen = [...seeds, ...healthy].filter(({ seed }) => values.only === undefined || values.only.includes(seed));
if (chosen.length === 0) throw new Error(`there is no seed called ${values.only?.join(" or ") ?? ""}`);

/** The short form of a seed that is counted exactly: certain however few clients there were. */
const counted = { clients: 600, rounds: 10 };
/** What a slow machine needs for every round: a run that was cut off says nothing of the seed. Milliseconds. */
const boundMs = 600_000;
/** Progress is for people who wait for one run. */
const progress = new Progress(values.verbose ? process.stderr : { write: () => true }, { plain: true });
const results: Result[] = [];
print(["seed", "as expected", "verdict", "named", "connections", "seconds"]);
for (const expectation of chosen) {
  const result = await tryOut(expectation);
  results.push(result);
  const { seed, good, outcome, named, connections, seconds } = result;
  print([seed, good ? "yes" : "NO", outcome, named, String(connections), seconds.toFixed(0)]);
}
const bad = results.filter(({ good }) => !good);
process.stdout.write(`${results.length - bad.length} of ${results.length} as expected\n`);
if (bad.length > 0) process.exitCode = 1;

async function tryOut(expectation: Expectation): Promise<Result> {
  const { seed } = expectation;
  const startedAtMs = performance.now();
  try {
    const { report, failure } = await runGate(requestFor(expectation), {
      progress,
      signal: new AbortController().signal,
    });
    const { outcome, findings, doubts } = report.verdict;
    const expected = findings.find((finding) => names(expectation, finding));
    const shown = expected ?? findings[0] ?? doubts[0];
    return {
      seed,
      good:
        expectation.named.length === 0 ? outcome === "clean" && !failure : outcome === "leak" && expected !== undefined,
      outcome: failure ? `${outcome} (${failure.message.split("\n", 1)[0] ?? ""})` : outcome,
      named: shown ? `${shown.ledger} ${shown.subject} ${shown.perConnection.toPrecision(2)}/connection` : "",
      connections: report.samples.at(-1)?.connections ?? 0,
      seconds: (performance.now() - startedAtMs) / 1000,
    };
  } catch (error) {
    const outcome = `failed: ${error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error)}`;
    const seconds = (performance.now() - startedAtMs) / 1000;
    return { seed, good: false, outcome, named: "", connections: 0, seconds };
  }
}

function requestFor({ seed, into, scenarios, clients, serverFlags = [] }: Expectation): GateRequest {
  const file = fileURLToPath(new URL(`${seed}.js`, import.meta.url));
  const module = into === "server" ? { importServer: file } : { importClient: file };
  const every = { seed: Number(values.seed), boundMs, serverFlags, ...module };
  if (!values.quick) return { preset: "default", ...every };
  const work = { scenarios, ...(clients === undefined ? counted : { clients }) };
  return { preset: "quick", ...every, ...work };
}

function names({ named }: Expectation, { ledger, subject }: Finding): boolean {
  return named.some((one) => [one.ledger].flat().includes(ledger) && one.subject.test(subject));
}

/** One row, for people and for Markdown alike. */
function print(cells: readonly string[]): void {
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}
