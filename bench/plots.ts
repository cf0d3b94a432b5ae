// Draws docs/performance/*.svg again from the results of runs that are kept in docs/performance/results/*.json. A bench whose
// results are not kept has no plots. Example, after a bench:
//   npm run -s bench:wan -- --json > docs/performance/results/wan.json
//   npm run -s bench:peers -- --json docs/performance/results/peers.json
//   npm run bench:plots

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ContestResults } from "./plots/contest-plots.ts";
import { peersPlots, throughputPlots } from "./plots/contest-plots.ts";
import type { IdleResults, StormResults } from "./plots/crowd-plots.ts";
import { idlePlots, stormPlots } from "./plots/crowd-plots.ts";
import type { WanResults } from "./plots/wan-plots.ts";
import { wanPlots } from "./plots/wan-plots.ts";

/** Where results and plots are kept. */
export const plotsFolder: string = fileURLToPath(new URL("../../docs/performance", import.meta.url));

/** Texts by file name. */
type Plots = Readonly<Record<string, string>>;

/** All plots of the kept results, by file name. */
export function keptPlots(): Plots {
  return {
    ...kept<ContestResults>("throughput", throughputPlots),
    ...kept<ContestResults>("peers", peersPlots),
    ...kept<IdleResults>("idle", idlePlots),
    ...kept<StormResults>("storm", stormPlots),
    ...kept<WanResults>("wan", wanPlots),
  };
}

function kept<Results>(bench: string, draw: (results: Results) => Plots): Plots {
  const file = join(plotsFolder, "results", `${bench}.json`);
  if (!existsSync(file)) return {};
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a report of ours, kept with the code that reads it
  return draw(JSON.parse(readFileSync(file, "utf8")) as Results);
}

if (process.argv[1] === import.meta.filename) {
  for (const [name, svg] of Object.entries(keptPlots())) writeFileSync(join(plotsFolder, name), svg);
}
