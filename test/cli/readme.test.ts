// The README's example is run as it stands, except for the port of its target and where the library was built.

import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { startCaisson } from "../support/run.ts";

const root = packageRoot();
const readme = readFileSync(new URL("README.md", root), "utf8");

/** The repository, found by its lock file: builds may lie at any depth below it. */
function packageRoot(): URL {
  let directory = new URL("../", import.meta.url);
  while (!existsSync(new URL("package-lock.json", directory))) {
    const parent = new URL("../", directory);
    assert.notEqual(parent.href, directory.href, "no package-lock.json above the built tests");
    directory = parent;
  }
  return directory;
}

test("the example for test suites works", async (t) => {
  const example = /```js\n([\s\S]*?)```/u.exec(readme)?.[1];
  assert.ok(example);
  const target = createServer((request, response) => response.end(`target saw ${request.url ?? ""}`));
  target.listen(0, "127.0.0.1");
  await once(target, "listening");
  t.after(() => target.close());
  const address = target.address();
  assert.ok(typeof address === "object" && address !== null);
  const library = new URL("../../src/index.js", import.meta.url).href;
  const script = join(mkdtempSync(join(tmpdir(), "caisson-readme-")), "example.mjs");
  t.after(() => rmSync(dirname(script), { recursive: true }));
  const code = example.replace('"caisson"', JSON.stringify(library)).replace("8000", String(address.port));
  writeFileSync(script, code.replace("await tunnel.", "console.log(await response.text());\nawait tunnel."));
  await using running = startCaisson([], { script });
  assert.deepEqual(await running.exit(), { code: 0, signal: null });
  assert.deepEqual(running.lines, ["target saw /hello"]);
});

test("every file that the README points to is there", () => {
  for (const [, path = ""] of readme.matchAll(/\]\(([^):]+)\)/gu)) {
    assert.ok(readFileSync(new URL(path, root)).length > 0, path);
  }
});
