// The check of what must not be, at any quiescent point of a healthy server: probes whose names begin with `never.`. They
// need no baseline and no growth: one that is there from the first round on is as wrong as one that comes later.

import { growthOf } from "./growth.ts";
import { roundAt, type Findings, type Judging } from "./judging.ts";
import { amount, sentence } from "./sentences.ts";

/** What the names of such probes begin with. */
const prefix = "never.";

/** Samples in a row that must show it, so that one reading in an unlucky moment accuses nobody. */
const persistence = 2;

/** Probes that must read zero. */
export function checkNever(judging: Judging, into: Findings): void {
  const { measured, axis } = judging;
  const names = new Set(
    measured.flatMap(({ probes }) => Object.keys(probes).filter((name) => name.startsWith(prefix))),
  );
  for (const subject of names) {
    const values = measured.map(({ probes }) => probes[subject] ?? 0);
    const recent = values.slice(-persistence);
    if (recent.length < persistence || recent.some((value) => value <= 0)) continue;
    const { perUnit } = growthOf(axis.xs, values);
    const sinceRound = roundAt(
      judging,
      values.findIndex((value) => value > 0),
    );
    const what = subject.slice(prefix.length).replaceAll("_", " ");
    const text = `${sentence(`${amount(values.at(-1) ?? 0)} ${what}, which no healthy server has`)}: since round ${sinceRound}.`;
    into.leaks.push({ ledger: "probe", subject, perConnection: perUnit, sinceRound, text });
  }
}
