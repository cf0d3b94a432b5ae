// Installs and builds what is missing or stale, then runs one bench of dist/bench/ with the given arguments.
// When: `npm run bench:NAME`. Example: npm run bench:scrape -- --tunnels 2000 --json

import { existsSync } from "node:fs";
import { join } from "node:path";
import { dist, install, isStale, requireNode, root, run, tryRun } from "./prepare.mjs";

requireNode();
install();
if (isStale()) {
  console.error("Building ...");
  run(process.execPath, [join(root, "scripts", "build.mjs")]);
}

const [name = "", ...args] = process.argv.slice(2);
const file = join(dist, "bench", `${name}.js`);
if (!/^[a-z-]+$/.test(name) || !existsSync(file)) {
  console.error(`There is no bench "${name}".`);
  process.exit(2);
}
process.exitCode = tryRun(process.execPath, [file, ...args]);
