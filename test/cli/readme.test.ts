// The README's example is run as it stands, except for the port of its target.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startCaisson } from "../support/run.ts";

const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");

test("the example for test suites works", async (t) => {
  const example = /```js\n([\s\S]*?)```/u.exec(readme)?.[1];
  assert.ok(example);
  const target = createServer((request, response) => response.end(`target saw ${request.url ?? ""}`));
  target.listen(0, "127.0.0.1");
  await once(target, "listening");
  t.after(() => target.close());
  const address = target.address();
  assert.ok(typeof address === "object" && address !== null);
  // Beside the built tests, from where Node finds the package under its own name.
  const script = fileURLToPath(new URL("./readme-example.mjs", import.meta.url));
  const code = example.replace("8000", String(address.port));
  writeFileSync(script, code.replace("await tunnel.", "console.log(await response.text());\nawait tunnel."));
  t.after(() => rmSync(script));
  await using running = startCaisson([], { script });
  assert.deepEqual(await running.exit(), { code: 0, signal: null });
  assert.deepEqual(running.lines, ["target saw /hello"]);
});

test("every file that the README points to is there", () => {
  for (const [, path = ""] of readme.matchAll(/\]\(([^):]+)\)/gu)) {
    assert.ok(readFileSync(new URL(`../../../${path}`, import.meta.url)).length > 0, path);
  }
});
