// What a command loads is decided by static imports: help must not load a role, a client must not load the server.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

const importPattern = /^(?:import|export)\s(?:[^"';]*?\sfrom\s)?"([^"]+)";/gmu;

/** Every file and package that a built module loads at once, as URLs and package names. */
function loadedBy(entry: string): Set<string> {
  const seen = new Set<string>();
  const waiting = [new URL(`../../src/${entry}`, import.meta.url).href];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    if (!next.startsWith("file:")) continue;
    assert.ok(existsSync(new URL(next)), next);
    for (const [, name = ""] of readFileSync(new URL(next), "utf8").matchAll(importPattern)) {
      waiting.push(name.startsWith(".") ? new URL(name, next).href : name);
    }
  }
  return seen;
}

function folders(modules: ReadonlySet<string>): Set<string> {
  return new Set([...modules].map((module) => /\/src\/([a-z0-9]+)\//u.exec(module)?.[1] ?? module));
}

test("help loads the command line and nothing that runs a tunnel", () => {
  const loaded = loadedBy("cli/main.js");
  for (const folder of ["server", "client", "mux", "http1", "wire"]) assert.ok(!folders(loaded).has(folder), folder);
  assert.ok(!loaded.has("ws"));
  assert.ok(loaded.has("commander"));
});

test("the client loads nothing of the server, nor the demo", () => {
  const loaded = loadedBy("cli/commands/http.js");
  assert.ok(folders(loaded).has("client"));
  assert.ok(!folders(loaded).has("server"));
  assert.deepEqual(
    [...loaded].filter((module) => module.includes("/demo")),
    [],
  );
});

test("a client loads the configuration file's libraries only where there is a file", () => {
  for (const entry of ["cli/main.js", "cli/command-line.js", "cli/commands/http.js", "cli/definitions/start.js"]) {
    for (const library of ["yaml", "zod"]) assert.ok(!loadedBy(entry).has(library), `${entry} loads ${library}`);
  }
  const loaded = loadedBy("cli/commands/start.js");
  assert.ok(loaded.has("yaml") && folders(loaded).has("client"));
  assert.ok(!folders(loaded).has("server"));
});

test("the server loads nothing of the client", () => {
  const loaded = loadedBy("cli/commands/serve.js");
  assert.ok(folders(loaded).has("server"));
  assert.ok(!folders(loaded).has("client"));
});
