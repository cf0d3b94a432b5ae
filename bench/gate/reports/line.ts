// The gate's answer in one line that a person understands. It says the outcome first, then why.

import type { Finding, Verdict } from "../verdict/finding.ts";
import { amount, limits, sentence } from "../verdict/sentences.ts";
import { plain } from "./escape.ts";
import { failureIn, outcomeOf } from "./outcome.ts";
import type { GateReport } from "./run-facts.ts";

/** One line without a line break, such as `clean: 4,000 connections and 41,200 requests in 40 rounds. ...`. */
export function line(report: GateReport): string {
  return plain(`${outcomeOf(report)}: ${workOf(report.verdict)}. ${sentence(reasonOf(report))}`);
}

/** What was done between the first and the last measured sample. */
export function workOf({ connections, requests, rounds }: Verdict): string {
  const made = connections > 0 ? `${amount(connections)} connections and ` : "";
  return `${made}${amount(requests)} requests in ${amount(rounds)} rounds`;
}

/** Why the outcome is what it is: what failed, or the first thing found, and how many more there are. */
export function reasonOf({ verdict, failure }: Pick<GateReport, "verdict" | "failure">): string {
  const { outcome, findings, doubts, warnings, slopes } = verdict;
  if (outcome === "leak") {
    const beside = failure === undefined ? "" : ` The run failed, too: ${failureIn(failure)}.`;
    return `${first(findings)}${beside}`;
  }
  if (failure !== undefined) return `the run itself failed, so it says nothing of leaks: ${failureIn(failure)}.`;
  if (outcome === "undecided") return first(doubts);
  const heap = slopes.find(({ series }) => series === "heapUsed");
  // What filled up to a limit is told as a warning: then it is not true that all returned.
  const filled = warnings.some(({ ledger }) => !["heap", "external", "rss"].includes(ledger));
  const counts = filled ? "no count goes on growing" : "every count returned to its baseline";
  if (heap === undefined) return `${counts}.`;
  const moved = `the heap moved by ${amount(heap.bytesPerConnection)} B per connection ${limits(heap.interval)}`;
  if (heap.outcome === "not judged") return `${counts}; ${moved}, which does not count with the default JIT.`;
  const limit = heap.tolerance === undefined ? "" : ` (limit ${amount(heap.tolerance)})`;
  return `${counts} and ${moved}${limit}.`;
}

function first(found: readonly Finding[]): string {
  const more = found.length - 1;
  const rest = more > 0 ? ` And ${more} more ${more === 1 ? "finding" : "findings"}.` : "";
  return `${found[0]?.text ?? "no reason was given."}${rest}`;
}
