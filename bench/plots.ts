// Draws docs/performance/*.svg again from the results of runs that are kept in docs/performance/results/*.json.
// Example, after a bench: npm run -s bench:wan -- --json > docs/performance/results/wan.json; npm run bench:plots

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { WanResults } from "./plots/wan-plots.ts";
import { wanPlots } from "./plots/wan-plots.ts";

/** Where results and plots are kept. */
export const plotsFolder: string = fileURLToPath(new URL("../../docs/performance", import.meta.url));

/** All plots of the kept results, by file name. */
export function keptPlots(): Readonly<Record<string, string>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a report of ours, kept with the code that reads it
  return wanPlots(JSON.parse(readFileSync(join(plotsFolder, "results", "wan.json"), "utf8")) as WanResults);
}

if (process.argv[1] === import.meta.filename) {
  for (const [name, svg] of Object.entries(keptPlots())) writeFileSync(join(plotsFolder, name), svg);
}
