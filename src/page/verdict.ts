// What the three ledgers say together, in one sentence: which two disagree names the class of the fault. A difference
// between what is open and what containers hold is normal for a moment, so it counts only when it stays. Pure.

import type { LiveNow } from "../admin/live-frame.ts";
import type { ResourceKind } from "../lifecycle/resource.ts";
import { countText, kindText } from "./format.ts";

/** For so many frames in a row a difference must stay. */
export const staysFrames = 10;

/** One fault. */
export interface Finding {
  readonly kind: ResourceKind;
  readonly column: "held" | "retained" | "collectedUnclosed";
  readonly sentence: string;
}

/** Follows the ledgers from frame to frame. */
export class LedgerWatch {
  /** Frames in a row in which the kind's ledgers differed. */
  readonly #differs: Map<ResourceKind, number> = new Map();

  /** The faults that a frame shows. */
  look(kinds: LiveNow["kinds"]): Finding[] {
    const findings: Finding[] = [];
    for (const kind of kindsOf(kinds)) {
      const reading = kinds[kind];
      if (!reading) continue;
      const { live, held, retained, collectedUnclosed } = reading;
      const name = kindText(kind);
      if (retained > 0) {
        findings.push({
          kind,
          column: "retained",
          sentence: `${countText(retained)} closed ${name}: something still refers to it`,
        });
      }
      if (collectedUnclosed > 0) {
        findings.push({
          kind,
          column: "collectedUnclosed",
          sentence: `${countText(collectedUnclosed)} ${name}: lost before anybody closed it`,
        });
      }
      const stays = held === null || held === live ? 0 : (this.#differs.get(kind) ?? 0) + 1;
      this.#differs.set(kind, stays);
      if (stays >= staysFrames) {
        findings.push({
          kind,
          column: "held",
          sentence: `${name}: ${countText(live)} open, but containers hold ${countText(held)}`,
        });
      }
    }
    return findings;
  }

  /** Forgets what it has seen: another process answers now. */
  reset(): void {
    this.#differs.clear();
  }
}

/** The kinds that a frame tells of, in its order. */
export function kindsOf(kinds: LiveNow["kinds"]): ResourceKind[] {
  return Object.keys(kinds).filter((kind): kind is ResourceKind => kind in kinds);
}
