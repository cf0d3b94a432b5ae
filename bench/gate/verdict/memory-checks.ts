// The checks of memory, which come last: Theil-Sen slopes against a tolerance. Certain growth must also be spread over the run
// and last into its second half; one jump, however large, asks for more rounds. RSS never gates.

import { equivalence, tolerancesOf, type Equivalence } from "./equivalence.ts";
import type { Finding, LedgerName, MemorySlope } from "./finding.ts";
import { lasts } from "./growth.ts";
import { mayBeRing } from "./idle-growth.ts";
import { roundAt, type Findings, type Judging } from "./judging.ts";
import { amount, bytes, limits } from "./sentences.ts";
import { memorySeries } from "./series.ts";
import { besidesStep, type BesidesStep } from "./single-step.ts";
import { theilSen, type Slope } from "./theil-sen.ts";

/** Fewer measured samples than this decide nothing about memory. */
const leastSamples = 8;

/**
 * Arrays grow by half and maps double, so a run must multiply its connections by this for each to have grown more than once;
 * before that a flat heap proves nothing.
 */
const leastMultiple = 2.5;

/** The second half must grow by this part of the first half; half of what containers growing in steps do at worst. */
const lastingShare = 0.2;

/** RSS is worth a warning from this growth on, in bytes over the measured rounds. */
const notableRss = 8 * 1_048_576;

/** Judges heapUsed, external and arrayBuffers, warns of RSS, and gives the slopes of all of them and of each heap space. */
export function checkMemory(judging: Judging, into: Findings): MemorySlope[] {
  const { options, measured } = judging;
  const standard = tolerancesOf(options.nodeMajor);
  const heapGates = options.heapGates ?? true;
  const slopes: MemorySlope[] = [];
  for (const [series, values] of memorySeries(measured)) {
    const tolerance = toleranceFor(series, { ...standard, heap: options.heapTolerance ?? standard.heap });
    const fitted = theilSen(judging.axis.xs, values);
    if (fitted === undefined) {
      if (series === "heapUsed" && heapGates) into.doubts.push(tooFew(judging));
      continue;
    }
    const gates = tolerance !== undefined && (series !== "heapUsed" || heapGates);
    const besides = gates ? steppedOnce(judging, values, { slope: fitted, tolerance }) : undefined;
    if (besides) into.warnings.push(stepOf(judging, series, besides));
    const { slope: bytesPerConnection, interval } = besides?.rest ?? fitted;
    const standing = gates ? stand(judging, values, equivalence(interval, tolerance)) : "not judged";
    const outcome = series === "heapUsed" || standing !== "undecided" ? standing : looksSmall(fitted.slope, tolerance);
    slopes.push({ series, bytesPerConnection, interval, ...(tolerance !== undefined && { tolerance }), outcome });
  }
  report(judging, slopes, into);
  warnOfRss(judging, slopes, into);
  return slopes;
}

function toleranceFor(series: string, { heap, external }: { heap: number; external: number }): number | undefined {
  if (series === "heapUsed") return heap;
  return series === "external" || series === "arrayBuffers" ? external : undefined;
}

/** Slabs come and go: a wide interval around a small slope is not worth another round. */
function looksSmall(slope: number, tolerance: number | undefined): Equivalence {
  return tolerance !== undefined && slope <= tolerance ? "below" : "undecided";
}

function stand(judging: Judging, values: readonly number[], raw: Equivalence): Equivalence {
  if (values.length < leastSamples) return "undecided";
  if (raw === "above") {
    // What fills up to a limit grows as well, for a while.
    const goesOn = judging.patient && isSpread(values) && lasts(judging.axis.xs, smooth(values), lastingShare);
    return goesOn ? raw : "undecided";
  }
  if (raw === "below" && !judging.options.final && !multiplied(judging)) return "undecided";
  return raw;
}

/** A container that doubles has done so twice when its entries are so many times what they were. */
const twiceDoubled = 4;

/**
 * At the end of a run that could not be decided: the series without one small step, if that is all that moved it. Of what an
 * array leaves behind that grew twice, more than half of the tolerance is left without the larger step.
 */
function steppedOnce(
  { axis, options }: Judging,
  values: readonly number[],
  { slope, tolerance }: { readonly slope: Slope; readonly tolerance: number },
): BesidesStep | undefined {
  if (!options.final || equivalence(slope.interval, tolerance) !== "undecided") return undefined;
  const [first = 0] = axis.xs;
  if (axis.unit !== "connection" || first + axis.span < twiceDoubled * first) return undefined;
  const besides = besidesStep(axis.xs, values);
  if (besides === undefined) return undefined;
  // A second step near an end of the run leaves the median slope as it is, but not this.
  const levels = smooth(values);
  const rise = (levels.at(-2) ?? 0) - (levels[1] ?? 0) - besides.step;
  if (rise > (axis.span * tolerance) / 4) return undefined;
  return equivalence(besides.rest.interval, tolerance / 2) === "below" ? besides : undefined;
}

/** Whether containers that grow in steps must have grown, had they been given one slot for each connection. */
function multiplied({ axis }: Judging): boolean {
  const [first = 0] = axis.xs;
  return axis.unit !== "connection" || first + axis.span >= leastMultiple * first;
}

/** Whether growth remains when its largest single jump is left out. */
function isSpread(values: readonly number[]): boolean {
  const levels = smooth(values);
  const rise = (levels.at(-1) ?? 0) - (levels[0] ?? 0);
  let jump = 0;
  for (let i = 2; i < levels.length; i++) jump = Math.max(jump, (levels[i] ?? 0) - (levels[i - 2] ?? 0));
  return rise - jump > jump / 4;
}

/** Running median of three: a single wild reading is no level. */
export function smooth(values: readonly number[]): number[] {
  return values.map((value, index) => {
    const near = [values[index - 1] ?? value, value, values[index + 1] ?? value].toSorted((a, b) => a - b);
    return near[1] ?? value;
  });
}

/**
 * The sample at which growth begins: from where the smoothed level stays above a tenth of the whole rise, less the time that
 * a steady growth from there to the end takes for that tenth.
 */
function beginning(values: readonly number[]): number {
  const levels = smooth(values);
  const base = levels[0] ?? 0;
  const bar = base + ((levels.at(-1) ?? 0) - base) / 10;
  let first = levels.length - 1;
  while (first > 1 && (levels[first - 1] ?? 0) > bar) first--;
  const end = levels.length - 1;
  return Math.max(1, Math.round((first - end / 10) / 0.9));
}

function report(judging: Judging, slopes: readonly MemorySlope[], into: Findings): void {
  for (const slope of slopes) {
    const { series, outcome, tolerance } = slope;
    if (tolerance === undefined) continue;
    // What is in array buffers is in external too; one finding is enough.
    if (series === "external" && slopes.some((other) => other.series === "arrayBuffers" && other.outcome === "above"))
      continue;
    if (outcome === "above" || outcome === "undecided") {
      // In doubt it is the most that it may have grown by, of which as much must be explained.
      const most = Math.max(slope.interval[1], tolerance);
      const rise = (outcome === "above" ? slope.bytesPerConnection : most) * judging.axis.span;
      const about = { ledger: ledgerOf(series), name: `memory ${series}`, rise };
      if (mayBeRing(judging.idle, { ...about, samples: judging.measured, inDoubt: outcome === "undecided" }))
        into.warnings.push(ringOf(judging, slope));
      else if (outcome === "above") into.leaks.push(leakOf(judging, slope, slopes));
      else into.doubts.push(doubtOf(judging, slope));
    }
    const shortRun = outcome === "below" && series === "heapUsed" && !multiplied(judging);
    if (shortRun) into.warnings.push(shortRunOf(judging, slope));
    if (outcome === "not judged" && slope.interval[0] > tolerance) into.warnings.push(jitOf(judging, slope));
  }
}

function leakOf(judging: Judging, slope: MemorySlope, slopes: readonly MemorySlope[]): Finding {
  const { axis } = judging;
  const since = sinceOf(judging, slope.series);
  const space = slope.series === "heapUsed" ? spaceOf(slope, slopes) : undefined;
  const where = space === undefined ? "" : `, most of it in ${space}`;
  return {
    ...baseOf(slope, since),
    subject: space ?? slope.series,
    text: `${nameOf(slope.series)} grows by ${amount(slope.bytesPerConnection)} bytes per ${axis.unit} ${limits(slope.interval)}${where}, since round ${since}; up to ${amount(slope.tolerance ?? 0)} would count as nothing.`,
  };
}

function ringOf(judging: Judging, slope: MemorySlope): Finding {
  const { axis } = judging;
  const { series, bytesPerConnection, interval } = slope;
  const text = `${nameOf(series)} grew by ${amount(bytesPerConnection)} bytes per ${axis.unit} ${limits(interval)}, and grows without any client too, as what keeps a value for each second does until it is full.`;
  return { ...baseOf(slope, sinceOf(judging, series)), subject: series, text };
}

function doubtOf(judging: Judging, slope: MemorySlope): Finding {
  const { axis, measured } = judging;
  const { series, interval, tolerance = 0 } = slope;
  const seen = `${nameOf(series)} moved by ${amount(slope.bytesPerConnection)} bytes per ${axis.unit} ${limits(interval)} over ${measured.length} samples`;
  const standing = measured.length < leastSamples ? "undecided" : equivalence(interval, tolerance);
  const why = {
    below: `. That is little, but ${amount(axis.span)} connections after ${amount(axis.xs[0] ?? 0)} of warm-up are too few to see a container that grows in steps`,
    above: ", but it came in one jump or early in the run, and may have stopped",
    undecided: `, so more than ${amount(tolerance)} is neither ruled out nor certain`,
  }[standing];
  const since = sinceOf(judging, series);
  return { ...baseOf(slope, since), subject: series, text: `${seen}${why}.` };
}

function stepOf(judging: Judging, series: string, { step, at, rest }: BesidesStep): Finding {
  const { slope: perConnection, interval } = rest;
  const sinceRound = roundAt(judging, at);
  const text = `${nameOf(series)} rose once, by about ${bytes(step)} in round ${sinceRound}, and stood still before and after: something was used for the first time.`;
  return { ledger: ledgerOf(series), subject: series, perConnection, interval, sinceRound, text };
}

function shortRunOf(judging: Judging, slope: MemorySlope): Finding {
  const { axis } = judging;
  const text = `Only ${amount(axis.span)} connections were measured after ${amount(axis.xs[0] ?? 0)} of warm-up: a container that grows in steps could have gone unseen.`;
  return { ...baseOf(slope, roundAt(judging, 0)), subject: "heapUsed", text };
}

function jitOf(judging: Judging, slope: MemorySlope): Finding {
  const since = sinceOf(judging, slope.series);
  const text = `The heap grew by ${amount(slope.bytesPerConnection)} bytes per ${judging.axis.unit} ${limits(slope.interval)} with the default JIT, which does so in healthy servers too; it does not gate.`;
  return { ...baseOf(slope, since), subject: slope.series, text };
}

function tooFew(judging: Judging): Finding {
  const text = `${judging.measured.length} measured samples are too few to judge the heap.`;
  return { ledger: "heap", subject: "heapUsed", perConnection: 0, sinceRound: roundAt(judging, 0), text };
}

function warnOfRss(judging: Judging, slopes: readonly MemorySlope[], into: Findings): void {
  const slope = slopes.find(({ series }) => series === "rss");
  if (slope === undefined || slope.interval[0] * judging.axis.span < notableRss) return;
  const since = sinceOf(judging, "rss");
  const text = `Resident memory grew by about ${bytes(slope.bytesPerConnection * judging.axis.span)} over the run (${amount(slope.bytesPerConnection)} bytes per ${judging.axis.unit} ${limits(slope.interval)}). It counts pages that the allocator keeps, so it only warns.`;
  into.warnings.push({ ...baseOf(slope, since), subject: "rss", text });
}

function baseOf(
  { series, bytesPerConnection, interval }: MemorySlope,
  since: number,
): Omit<Finding, "subject" | "text"> {
  return { ledger: ledgerOf(series), perConnection: bytesPerConnection, interval, sinceRound: since };
}

function ledgerOf(series: string): LedgerName {
  if (series === "rss") return "rss";
  return series === "external" || series === "arrayBuffers" ? "external" : "heap";
}

/** The heap space that took at least half of the growth. */
function spaceOf(whole: MemorySlope, slopes: readonly MemorySlope[]): string | undefined {
  const spaces = slopes.filter(({ series }) => series.startsWith("space:"));
  const largest = spaces.toSorted((a, b) => b.bytesPerConnection - a.bytesPerConnection)[0];
  if (largest === undefined || largest.bytesPerConnection < whole.bytesPerConnection / 2) return undefined;
  return largest.series.slice("space:".length);
}

function sinceOf(judging: Judging, series: string): number {
  return roundAt(judging, beginning(memorySeries(judging.measured).get(series) ?? []));
}

function nameOf(series: string): string {
  if (series === "heapUsed") return "The heap";
  return series === "arrayBuffers" ? "Memory of array buffers" : "External memory";
}
