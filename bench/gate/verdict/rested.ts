// What two samples say that were both taken after a rest, with clients between them: of those clients nothing is there any more
// but what stays. It answers where a rest took away what had grown: in such a series the samples between, with what is only kept
// for a while, hide what stays. Pure.

import { tolerancesOf } from "./equivalence.ts";
import type { Finding, LedgerName, Verdict } from "./finding.ts";
import { idleGrowthOf, mayBeRing } from "./idle-growth.ts";
import type { JudgeOptions } from "./judging.ts";
import type { Sample } from "./sample.ts";
import { amount, counted, rateOf, sentence } from "./sentences.ts";
import { censusSeries, countSeries, kindSeries, memorySeries } from "./series.ts";

/** Two samples have no interval: more than one for a hundred clients is certain, and more than one for 400 is not nothing. */
const certainRate = 0.01;
const doubtfulRate = 0.0025;
/** Whatever the rate, so few things may have been used for the first time. */
const leastMore = 8;
/** Memory is certain from so many times what is tolerated of a slope. */
const certainMultiple = 2;

/** The part of a judgement that matters here. */
export type RestedOptions = Pick<JudgeOptions, "nodeMajor" | "heapGates" | "idle">;

interface Change {
  readonly ledger: LedgerName;
  readonly subject: string;
  /** As idle readings name it. */
  readonly name: string;
  readonly rise: number;
  readonly certain: number;
  readonly doubtful: number;
}

/**
 * The verdict of a run in which a rest took away what had grown.
 * @param samples from the one after the first rest to the one after the second, both with a census
 * @param base the verdict of all samples: what it found or doubted is told as a warning
 */
export function judgeRested(samples: readonly Sample[], base: Verdict, options: RestedOptions): Verdict {
  const before = samples[0];
  const after = samples.at(-1);
  const connections = (after?.connections ?? 0) - (before?.connections ?? 0);
  if (before === undefined || after === undefined || connections <= 0) return base;
  const idle = idleGrowthOf(options.idle ?? []);
  const findings: Finding[] = [];
  const doubts: Finding[] = [];
  const warnings = [...base.warnings, ...[...base.findings, ...base.doubts].map(asPassing)];
  for (const change of changesIn([before, after], connections, options)) {
    const { ledger, subject, name, rise } = change;
    if (rise <= change.doubtful) continue;
    const perConnection = rise / connections;
    const about = { ledger, subject, perConnection, sinceRound: before.round };
    const more = `${amount(rise)} more ${counted(ledger, subject)} than ${amount(connections)} connections before`;
    if (mayBeRing(idle, { ledger, name, rise, samples })) {
      const text = `${sentence(more)}; it grows without any client too, as what keeps a value for each second does until it is full.`;
      warnings.push({ ...about, text });
      continue;
    }
    const rate = rateOf(perConnection, "connection");
    const text = `${sentence(more)}, both times long after the last client had left: ${rate}.`;
    (rise > change.certain ? findings : doubts).push({ ...about, text });
  }
  const outcome = findings.length > 0 ? "leak" : doubts.length > 0 ? "undecided" : "clean";
  return { ...base, outcome, findings, doubts, warnings };
}

function changesIn(
  pair: readonly [Sample, Sample],
  connections: number,
  { nodeMajor, heapGates = true }: RestedOptions,
): readonly Change[] {
  const least = (rate: number): number => Math.max(leastMore, rate * connections);
  const limits = { certain: least(certainRate), doubtful: least(doubtfulRate) };
  const rise = ([first = 0, last = 0]: readonly number[]): number => last - first;
  const kinds = [
    ["held", "held"],
    ["live", "live"],
    ["alive", "retained"],
  ] as const;
  const ofKinds = kinds.flatMap(([ledger, field]) =>
    [...kindSeries(pair, field)].map(([subject, values]) => ({ ledger, subject, values })),
  );
  const counts = [...ofKinds, ...countSeries(pair), ...censusSeries(pair)].map(({ ledger, subject, values }) => ({
    ...limits,
    ledger,
    subject,
    name: `${ledger} ${subject}`,
    rise: rise(values),
  }));
  const { heap, external } = tolerancesOf(nodeMajor);
  const memory = memorySeries(pair);
  const bytes = (ledger: "heap" | "external", subject: string, tolerance: number): Change => ({
    ledger,
    subject,
    name: `memory ${subject}`,
    rise: rise(memory.get(subject) ?? []),
    certain: certainMultiple * tolerance * connections,
    doubtful: tolerance * connections,
  });
  return [
    ...counts,
    ...(heapGates ? [bytes("heap", "heapUsed", heap)] : []),
    bytes("external", "arrayBuffers", external),
  ];
}

/** What was found before the rests, and is explained by them unless it is found again. */
function asPassing({ ledger, subject, perConnection, sinceRound }: Finding): Finding {
  const text = `${sentence(counted(ledger, subject))} grew by ${amount(perConnection)} per connection while clients came; what of that is left when nobody has come for a while was measured between two rests.`;
  return { ledger, subject, perConnection, sinceRound, text };
}
