// Installs and builds what is missing or stale, then runs one bench of dist/bench/, or the gate, with the given arguments.
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

/** Those that are no file of dist/bench/ by the same name. */
const elsewhere = {
  churn: [join(dist, "src", "cli", "main.js"), "gate"],
  zoo: [join(dist, "bench", "zoo", "run-zoo.js")],
};

const [name = "", ...args] = process.argv.slice(2);
const command = Object.hasOwn(elsewhere, name) ? elsewhere[name] : [join(dist, "bench", `${name}.js`)];
if (!/^[a-z-]+$/.test(name) || !existsSync(command[0])) {
  console.error(`There is no bench "${name}".`);
  process.exit(2);
}
process.exitCode = tryRun(process.execPath, [...command, ...args]);
