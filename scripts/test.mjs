// The whole proof from a clean clone: install, build from nothing, npm run check, then every test file with node --test.
// Example: npm test; npm test -- mux (only files whose path contains "mux"); npm test -- --test-name-pattern=drain

import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { dist, install, requireNode, root, run, tryRun, walk } from "./prepare.mjs";

requireNode();
install();
run(process.execPath, [join(root, "scripts", "build.mjs")]);
run("npm", ["run", "--silent", "check"]);

const args = process.argv.slice(2);
const flags = args.filter((argument) => argument.startsWith("--"));
const wanted = args.filter((argument) => !argument.startsWith("--"));
// Node 20 expands no ** in patterns, so the files are found here.
const files = walk(join(dist, "test"))
  .filter((file) => file.endsWith(".test.js"))
  .map((file) => relative(root, file).replaceAll("\\", "/"))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .toSorted();
if (files.length === 0) {
  console.error(`No test file matches ${wanted.join(" ") || "dist/test/**/*.test.js"}.`);
  process.exit(1);
}

process.exitCode = tryRun(process.execPath, [
  "--test",
  // System tests move gigabytes and stop the event loop on purpose: more at once than processors would only disturb.
  `--test-concurrency=${Math.max(1, Math.min(4, availableParallelism()))}`,
  // A test that hangs is a failure with a name, not a silent CI job.
  "--test-timeout=900000",
  "--test-reporter=spec",
  "--test-reporter-destination=stdout",
  "--test-reporter=./scripts/skipped-reporter.mjs",
  "--test-reporter-destination=stderr",
  ...flags,
  ...files,
]);
