// The checks of exact counts, which come first: ledgers of resource kinds, then every other thing that can be counted.
// A count that only differs is no leak: it must still differ after settling, and go on growing or contradict its twin.

import type { Finding, LedgerName } from "./finding.ts";
import { growthOf, type Growth } from "./growth.ts";
import { mayBeRing, type MeasuredGrowth } from "./idle-growth.ts";
import { judgingOf, sinceRound, type Findings, type Judging } from "./judging.ts";
import { amount, counted, limits, rateOf, sentence } from "./sentences.ts";
import { censusSeries, countSeries, hasCensus, kindSeries, type Series } from "./series.ts";

/** So many samples in a row must show a contradiction between two ledgers before it counts. */
const persistence = 3;

/** What a kept count is worth doubting for, at the end of a run: more than one in 400, besides what came in one step. */
const doubtfulRate = 0.0025;

/** Fewer samples than these have limits so wide that a rate of nothing is always within them. */
const leastForNoise = 8;

/**
 * Ledgers that every sample has. One thing on its way out in the sample before the last one makes growth look as if it had rested in
 * that round; so many steps are no accident. Censuses are rare, and so much is done between two of them.
 */
const inEverySample: ReadonlySet<LedgerName> = new Set(["live", "alive", "fds", "handles", "operations", "series"]);
const settledFor = 3;

/** The ledgers of resource kinds: containers against opens and closes, then opens against closes. */
export function checkKinds(judging: Judging, into: Findings): void {
  const { all, start } = judging;
  const live = kindSeries(all, "live");
  const held = kindSeries(all, "held");
  const lost = kindSeries(all, "collectedUnclosed");
  for (const [kind, open] of live) {
    const inContainers = held.get(kind);
    const contradicted =
      inContainers !== undefined && checkContradiction(judging, { kind, live: open, held: inContainers }, into);
    if (!contradicted) checkGrowth(judging, { ledger: "live", subject: kind, values: open }, into);
    const unclosed = lost.get(kind) ?? [];
    const before = unclosed[start] ?? 0;
    const more = (unclosed.at(-1) ?? 0) - before;
    if (more > 0 && !into.leaks.some((leak) => leak.subject === kind)) {
      const growth = growthOf(judging.axis.xs, unclosed.slice(start));
      const fact = `${amount(more)} of kind ${kind} were collected without ever having been closed`;
      into.leaks.push(finding(judging, { ledger: "live", subject: kind, values: unclosed }, { growth, fact }));
    }
  }
}

interface Twins {
  readonly kind: string;
  readonly live: readonly number[];
  readonly held: readonly number[];
}

/** Containers that hold more (or less) than is open: no cache and no pool explains that. */
function checkContradiction(judging: Judging, { kind, live, held }: Twins, into: Findings): boolean {
  const { start, axis } = judging;
  const excess = held.map((value, index) => value - (live[index] ?? 0));
  const base = excess[start] ?? 0;
  const recent = excess.slice(start).slice(-persistence);
  const ways = [
    { ledger: "held", sign: 1, says: "entries stay in containers although what they stood for was closed" },
    { ledger: "live", sign: -1, says: "are open that no container refers to any more" },
  ] as const;
  for (const { ledger, sign, says } of ways) {
    const values = excess.map((value) => sign * (value - base));
    const now = values.at(-1) ?? 0;
    if (now <= 0) continue;
    const growth = growthOf(axis.xs, values.slice(start));
    const fact = `${amount(now)} of kind ${kind}: ${says} (open ${amount(live.at(-1) ?? 0)}, held ${amount(held.at(-1) ?? 0)})`;
    const result = finding(judging, { ledger, subject: kind, values }, { growth, fact });
    const persists = recent.length >= persistence && recent.every((value) => sign * (value - base) > 0);
    (persists ? into.leaks : into.doubts).push(result);
    return true;
  }
  return false;
}

/** The collector's ledger: what was closed must be collected. */
export function checkCollected(judging: Judging, into: Findings): void {
  const { all, start, axis } = judging;
  const uncollected = kindSeries(all, "uncollected");
  for (const [kind, values] of kindSeries(all, "retained")) {
    const now = values.at(-1) ?? 0;
    if (now > 0) {
      const growth = growthOf(axis.xs, values.slice(start));
      const fact = `exactly ${amount(now)} closed ${now === 1 ? "resource" : "resources"} of kind ${kind} cannot be collected: something still refers to them`;
      into.leaks.push(finding(judging, { ledger: "alive", subject: kind, values }, { growth, fact }));
      continue;
    }
    const waiting = uncollected.get(kind);
    if (waiting !== undefined) checkGrowth(judging, { ledger: "alive", subject: kind, values: waiting }, into);
  }
}

/** Descriptors, handles, listeners, probes, operations, metric series and objects by class. */
export function checkCounts(judging: Judging, into: Findings): void {
  for (const series of countSeries(judging.all)) checkGrowth(judging, series, into);
  const ofCensus = judgingOf(judging.all.filter(hasCensus), judging.options);
  if (ofCensus.measured.length < 2) return;
  for (const series of censusSeries(ofCensus.all)) checkGrowth(ofCensus, series, into);
}

function checkGrowth(judging: Judging, series: Series, into: Findings): void {
  const { axis, start, patient, options } = judging;
  const leastRest = inEverySample.has(series.ledger) ? settledFor : 1;
  const growth = growthOf(axis.xs, series.values.slice(start), { leastRest });
  const what = counted(series.ledger, series.subject);
  const goesOn = growth.shape === "growing" || growth.shape === "unclear";
  if (goesOn && mayBeRing(judging.idle, { ...aboutGrowth(series, growth), samples: judging.measured })) {
    const fact = `${amount(growth.rise)} more ${what} than at the baseline; it grows without any client too, as what keeps a value for each second does until it is full`;
    into.warnings.push(finding(judging, series, { growth, fact }));
    return;
  }
  switch (growth.shape) {
    case "flat":
      return;
    case "growing": {
      const fact = `${amount(growth.rise)} more ${what} than at the baseline, and still growing`;
      const certain = finding(judging, series, { growth, fact });
      if (patient) into.leaks.push(certain);
      else into.doubts.push({ ...certain, text: `${certain.text} It may be something that fills up to a limit.` });
      return;
    }
    case "stopped": {
      const fact = `${amount(growth.rise)} more ${what} than at the baseline, but no longer growing`;
      into.warnings.push(finding(judging, series, { growth, fact }));
      return;
    }
    case "unclear": {
      const fact = `${amount(growth.rise)} more ${what} than at the baseline, and it is not clear whether that goes on`;
      const result = finding(judging, series, { growth, fact });
      const small =
        Math.min(growth.perUnit, growth.perUnitBesides) <= doubtfulRate && judging.measured.length > persistence;
      // What only the last sample shows may be on its way out, as what earlier ones showed was.
      const single = growth.since === judging.measured.length - 1 && judging.measured.length > persistence;
      // Where enough was measured and nothing at all is within the limits of the rate, more rounds would say no more.
      const noise = judging.measured.length >= leastForNoise && growth.lowest <= 0;
      if (options.final && (small || single || noise)) into.warnings.push(result);
      else into.doubts.push(growth.perUnitBesides > 0 ? result : { ...result, once: true });
      return;
    }
    default:
      unknownShape(growth.shape);
  }
}

function aboutGrowth({ ledger, subject }: Series, { rise }: Growth): Omit<MeasuredGrowth, "samples"> {
  return { ledger, name: `${ledger} ${subject}`, rise };
}

function unknownShape(shape: never): never {
  throw new TypeError(`no such shape: ${String(shape)}`);
}

interface Found {
  readonly growth: Growth;
  /** What is the case, without rate and round. */
  readonly fact: string;
}

function finding(judging: Judging, { ledger, subject, values }: Series, { growth, fact }: Found): Finding {
  const since = sinceRound(judging, values, growth);
  const { perUnit, interval } = growth;
  const known = interval === undefined ? {} : { interval };
  const range = interval === undefined ? "" : ` ${limits(interval)}`;
  // What stopped has no rate worth telling.
  const rate = growth.shape === "stopped" ? "" : `: ${rateOf(perUnit, judging.axis.unit)}${range}`;
  return {
    ledger,
    subject,
    perConnection: perUnit,
    ...known,
    sinceRound: since,
    text: `${sentence(fact)}${rate}, since round ${since}.`,
  };
}
