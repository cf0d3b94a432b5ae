// What: how often the gate's verdict misses one 8-byte slot per connection, and how often it accuses a clean run, over every
// alignment of a container that grows in steps: it starts to fill before, at or after the start of the warm-up.
// It does the same with the short form, whose runs end early where they are certainly clean.
// When: after any change to bench/gate/verdict. About a minute. Exits 1 if with 4,000 connections more than 5 % of the 8-byte
// faults are missed, if any faulty run of that length is called clean, or a clean one a leak, or if the short form calls a faulty
// run clean that would not have been called so after all of its rounds.
// Example: npm run build && node dist/scripts/estimator-simulation.js 700   (deviation of the heap between samples, bytes)

import { presets } from "../bench/gate/options.ts";
import type { Standing } from "../bench/gate/verdict/stopping.ts";
import { certainlyClean, heapReturned, leavesNothingOpen } from "../bench/gate/verdict/stopping.ts";
import { judge } from "../bench/gate/verdict/verdict.ts";
import type { Outcome } from "../bench/gate/verdict/finding.ts";
import { SeededRandom } from "../bench/gate/seeded-random.ts";
import type { Sample } from "../bench/gate/verdict/sample.ts";
import { arrayBytes, gaussian, mapBytes, memory, run, setBytes, type Layout } from "../test/bench/verdict/synthetic.ts";

const deviation = Number(process.argv[2] ?? 700);
const seed = 20_260_101;

const layouts: Record<string, Layout> = {
  "600 + 20 x 200": { warmup: 3, rounds: 20, size: 200 },
  "690 + 32 x 138": { warmup: 5, rounds: 32, size: 138 },
  "600 + 40 x 100": { warmup: 6, rounds: 40, size: 100 },
  "600 + 60 x 100": { warmup: 6, rounds: 60, size: 100 },
  "1,000 + 40 x 100": { warmup: 10, rounds: 40, size: 100 },
  "300 + 12 x 100": { warmup: 3, rounds: 12, size: 100 },
};

/** What stays behind, in bytes after so many connections. */
const faults: Record<string, ((connections: number) => number) | undefined> = {
  clean: undefined,
  "8 B linked": (connections) => 8 * connections,
  "array slot": arrayBytes,
  "set entry": setBytes,
  "map entry": mapBytes,
};

/** Clean slopes measured for each version: mean and deviation between runs, bytes per connection. */
const versions = [
  { nodeMajor: 20, mean: 1.4, spread: 0.4 },
  { nodeMajor: 24, mean: 0, spread: 0.2 },
];

/**
 * Entries by which the container is ahead of the connections (or behind, if the fault sets in later): at the end of 4,000
 * measured ones that moves its length by half, so that each place between two of its steps is tried.
 */
const alignments = Array.from({ length: 400 }, (_, index) => index * 5 - 600);

const random = new SeededRandom(seed);
let failed = false;
console.log(`heap noise ${deviation} B, ${alignments.length} alignments, seed ${seed}`);
console.log("rounds             Node  fault        leak  undecided  clean  miss %");
for (const [name, layout] of Object.entries(layouts)) {
  const long = layout.rounds * layout.size >= 4000;
  const end = (samples: readonly Sample[], nodeMajor: number): Outcome =>
    judge(samples, { nodeMajor, final: false }).outcome;
  tryOut(name, { layout, mayBeClean: () => !long, mayMiss: !long, end });
}
const { quick } = presets;
const size = quick.clients / quick.rounds;
// The baseline is the last sample of the warm-up.
const short: Layout = { warmup: quick.warmupRounds, rounds: quick.rounds, size };
tryOut("short form", {
  layout: short,
  mayBeClean: (samples, nodeMajor) => judge(samples, { nodeMajor, final: true }).outcome === "clean",
  mayMiss: true,
  end: endOfShortForm,
});
process.exitCode = failed ? 1 : 0;

/** How the short form ends, which is asked after each round whether to go on. */
function endOfShortForm(samples: readonly Sample[], nodeMajor: number): Outcome {
  const verdicts: Standing[] = [];
  for (let rounds = 1; rounds <= quick.rounds; rounds += 1) {
    const soFar = samples.slice(0, quick.warmupRounds + rounds + 1);
    const verdict = judge(soFar, { nodeMajor, final: false });
    if (verdict.outcome === "leak") return "leak";
    // One round more, which decides.
    const early = certainlyClean(verdicts, quick) && heapReturned(soFar.slice(0, -1), nodeMajor);
    if (early && leavesNothingOpen(verdict)) return judge(soFar, { nodeMajor, final: true }).outcome;
    verdicts.push(verdict);
  }
  return judge(samples, { nodeMajor, final: true }).outcome;
}

interface Trial {
  readonly layout: Layout;
  /** Whether too little was measured for nearly no fault to be missed. */
  readonly mayMiss: boolean;
  /** Whether a faulty run may be called clean: not one that has the connections in which every fault shows. */
  readonly mayBeClean: (samples: readonly Sample[], nodeMajor: number) => boolean;
  readonly end: (samples: readonly Sample[], nodeMajor: number) => Outcome;
}

function tryOut(name: string, { layout, mayMiss, mayBeClean, end }: Trial): void {
  for (const version of versions) {
    for (const [fault, bytesAfter] of Object.entries(faults)) {
      const outcomes: Record<Outcome, number> = { leak: 0, undecided: 0, clean: 0 };
      for (const shift of alignments) {
        const slope = version.mean + version.spread * gaussian(random);
        const samples = run(layout, (connections) => {
          const kept = bytesAfter?.(Math.max(0, connections + shift)) ?? 0;
          return { memory: memory(Math.round(kept + slope * connections + deviation * gaussian(random))) };
        });
        const outcome = end(samples, version.nodeMajor);
        outcomes[outcome]++;
        if (fault !== "clean" && outcome === "clean" && !mayBeClean(samples, version.nodeMajor)) failed = true;
      }
      const { leak, undecided, clean } = outcomes;
      const missed = (100 * (alignments.length - leak)) / alignments.length;
      const slots = fault === "8 B linked" || fault === "array slot";
      if (fault === "clean" ? leak > 0 : slots && !mayMiss && missed > 5) failed = true;
      const cells = [
        name.padEnd(18),
        String(version.nodeMajor).padEnd(5),
        fault.padEnd(11),
        String(leak).padStart(5),
        String(undecided).padStart(10),
        String(clean).padStart(6),
        fault === "clean" ? "     -" : missed.toFixed(1).padStart(7),
      ];
      console.log(cells.join(" "));
    }
  }
}
