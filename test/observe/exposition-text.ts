// Reads the text of a scrape as tests need it.

import type { ExchangeOutcome } from "../../src/lifecycle/events.ts";

/** The name and labels of every sample, in order. */
export function seriesOf(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => /^[^\s{]+(?:\{[^\n]*?\})?(?= )/u.exec(line)?.[0] ?? line);
}

/** The value of one sample. Throws if it is not there. */
export function valueOf(text: string, series: string): number {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
  if (line === undefined) throw new Error(`no ${series}`);
  return Number(line.slice(series.length + 1).split(" ")[0]);
}

/** Every outcome that an exchange can have. */
export const gatewayOutcomes: readonly ExchangeOutcome[] = [
  "ok",
  "visitor_abort",
  "no_tunnel",
  "reconnecting",
  "target_refused",
  "target_unreachable",
  "bad_target_response",
  "target_timeout",
  "client_lost",
  "overloaded",
  "bad_request",
  "target_cut",
  "internal",
  "shutdown",
];
