// What: clients and visitors that come and go until so many resources were closed; none may be called retained. Prints after
// how many major collections they were collected. When: after a change to the watcher or to when it calls a thing retained.
// Example: npm run build && node dist/scripts/clean-closes.js --closes 200000

import { parseArgs } from "node:util";
import { runCleanCloses } from "../test/leak/clean-closes.ts";

const { values } = parseArgs({ options: { closes: { type: "string" } } });
let shown = 0;
const result = await runCleanCloses({
  closes: Number(values.closes ?? 200_000),
  onProgress: (closes, retained) => {
    if (closes - shown < 20_000) return;
    shown = closes;
    process.stdout.write(`${closes} closes, retained ${retained}\n`);
  },
});
process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
if (result.mostRetained > 0 || Object.keys(result.uncollected).length > 0) process.exitCode = 1;
