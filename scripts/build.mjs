// Compiles TypeScript into dist/, from nothing, with the files that the compiler does not carry.
// When: by npm start and npm test, and by hand before running dist/src/cli/main.js. Example: npm run build

import { chmodSync, copyFileSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { buildPage } from "./build-page.mjs";
import { buildStamp, dist, requireNode, root, run, walk } from "./prepare.mjs";

requireNode();
// Outputs of sources that are gone would otherwise be shipped, and run as tests.
rmSync(dist, { recursive: true, force: true });
run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "--outDir", dist]);

// Templates, styles and fixtures: everything in src, bench and test that is not TypeScript, but for what is bundled.
const page = join(root, "src", "page");
for (const folder of ["src", "bench", "test"]) {
  if (!statSync(join(root, folder), { throwIfNoEntry: false })) continue;
  for (const file of walk(join(root, folder))) {
    if (file.endsWith(".ts") || file.startsWith(page)) continue;
    const target = join(dist, relative(root, file));
    mkdirSync(join(target, ".."), { recursive: true });
    copyFileSync(file, target);
  }
}
await buildPage();
chmodSync(join(dist, "src", "cli", "main.js"), 0o755);
writeFileSync(buildStamp, "");
