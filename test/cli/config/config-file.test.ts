// The configuration file: what is wrong with one is told with its line, and what is right reaches the command.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseCommandLine } from "../../../src/cli/command-line.ts";
import { checkConfig, loadConfig } from "../../../src/cli/config/config-file.ts";
import { configJsonSchema } from "../../../src/cli/config/schema.ts";
import type { Environment } from "../../../src/cli/environment.ts";
import type { HttpInvocation, Invocation, ServeInvocation, StartInvocation } from "../../../src/cli/invocation.ts";
import { CaissonError } from "../../../src/lifecycle/errors.ts";
import { readPackageFile } from "../../support/package-file.ts";

class Folder {
  readonly path: string = mkdtempSync(join(tmpdir(), "caisson-config-"));

  /** Writes a file and answers its path. */
  write(text: string, name = "caisson.yaml"): string {
    const file = join(this.path, name);
    writeFileSync(file, text);
    return file;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

async function problemsOf(text: string): Promise<string[]> {
  using folder = new Folder();
  const { problems } = await checkConfig(folder.write(text));
  return problems.map(({ line, column, path, message }) => `${line}:${column} ${path} ${message}`);
}

const wrongs: readonly (readonly [text: string, ...expected: RegExp[]])[] = [
  ["drian: 3", /^1:1 drian there is no such key$/],
  ["tunnels:\n  shop:\n    tpye: http\n    target: 8000", /^3:5 tunnels\.shop\.tpye there is no such key$/],
  ["tunnels:\n  shop:\n    name: x", /^2:3 tunnels\.shop\.target write a port/],
  ["tunnels:\n  shop: { target: 99999 }", /^2:11 tunnels\.shop\.target/],
  ["tunnels:\n  shop: { target: 'http://x/path' }", /^2:11 tunnels\.shop\.target .*has a path/],
  ["tunnels:\n  Shop: { target: 1 }", /^2:3 tunnels\.Shop a name has 1 to 63/],
  ["tunnels:\n  a: { target: 1, name: b }\n  b: { target: 1 }", /^3:3 tunnels\.b the tunnel a has the name b already$/],
  ["tunnels:\n  a: { target: 1, port: 22 }", /^2:19 tunnels\.a\.port only a tunnel of type tcp/],
  ["tunnels:\n  a: { target: 1, health: { path: x } }", /^2:29 tunnels\.a\.health\.path write a path/],
  ["tunnels:\n  a: { target: 1, health: { interval: 1d } }", /^2:29 tunnels\.a\.health\.interval write seconds/],
  [
    "tunnels:\n  a: { target: 1, health: { interval: 10ms } }",
    /^2:29 tunnels\.a\.health\.interval the least is 100ms$/,
  ],
  ["server: nonsense", /^1:1 server the server "nonsense" is no URL/],
  ["drain: soon\nmask: none", /^1:1 drain write seconds/, /^2:1 mask expected one of "zero"\|"random"/],
  [
    "serve:\n  max-tunnels: 0\n  catch-all: A B",
    /^2:3 serve\.max-tunnels The least is 1/,
    /^3:3 serve\.catch-all A name/,
  ],
  ["serve: 3", /^1:1 serve expected object/],
  ["a: [1,\nb: 2", /^2:1 {2}/],
  [
    "tunnels:\n  a: { target: 1, type: tls, health: { path: /x } }",
    /^2:40 tunnels\.a\.health\.path .*connection alone/,
  ],
  ["tunnels:\n  a: { target: https://b, type: tls }", /^2:8 tunnels\.a\.target .*write 8443/],
  ["tunnels:\n  a: { target: 1, type: tls, port: 5 }", /^2:30 tunnels\.a\.port only a tunnel of type tcp/],
  [
    "tunnels:\n  a:\n    type: tcp\n    target: 1\n    host-header: rewrite\n    target-ca: ca.pem\n    target-insecure: false",
    /^5:5 tunnels\.a\.host-header the bytes of a tunnel of type tcp pass as they are: leave it out$/,
    /^6:5 tunnels\.a\.target-ca /,
    /^7:5 tunnels\.a\.target-insecure /,
  ],
  ["tunnels:\n  a: { target: 1, type: tls, host-header: a b }", /^2:30 tunnels\.a\.host-header .*type tls/],
  ["open: 1\nopen: 2", /^2:1 {2}Map keys must be unique/],
  ["- a\n- b", /^1:1 {2}expected object/],
  [`a: &a [x, x, x]\n${Array.from({ length: 8 }, (_, n) => `b${n}: &b${n} [${"*a, ".repeat(50)}*a]`).join("\n")}`, /./],
];
for (const [text, ...expected] of wrongs) {
  test(`a problem and its place: ${JSON.stringify(text.slice(0, 60))}`, async () => {
    const problems = await problemsOf(text);
    assert.ok(problems.length >= expected.length, JSON.stringify(problems));
    for (const [at, pattern] of expected.entries()) assert.match(problems[at] ?? "", pattern);
  });
}

test("a file that is to be used is refused with its first problem", async () => {
  using folder = new Folder();
  const file = folder.write("a: 1\nb: 2\n");
  await assert.rejects(
    loadConfig(file),
    (error) =>
      error instanceof CaissonError &&
      error.code === "E_CONFIG" &&
      error.message === `${file}:1:1: a: there is no such key (and 1 more: caisson config check ${file})`,
  );
  await assert.rejects(loadConfig(join(folder.path, "none.yaml")), /cannot read the configuration/);
});

test("an empty file is a file", async () => {
  assert.deepEqual(await problemsOf(""), []);
  assert.deepEqual(await problemsOf("# nothing yet\n"), []);
});

async function parse(argv: readonly string[], env: Environment = {}): Promise<Invocation> {
  return parseCommandLine({ argv, env, version: "1", write: () => undefined });
}

const complete = `
server: [ws://127.0.0.1:1, wss://b.test]
token-file: secrets/token
ca: ~/ca.pem
drain: 5s
admin: 127.0.0.1:9191
dead-after: 3
plaintext: true
tunnels:
  shop:
    target: 8000
    host-header: rewrite
    health: { path: /healthz, interval: 1s, fail-after: 2 }
  db: { target: 5432, type: tcp, port: 15432 }
  anon: { target: https://localhost:8443, name: "*", target-ca: ca.pem, target-insecure: true }
  own: { target: 8443, type: tls, health: { interval: 1s } }
serve:
  listen: 8080
  tokens: tokens.json
  trusted-proxies: [10.0.0.0/8, "::1"]
  open: true
  name-hold: 2m
  max-body: 64KiB
  log-level: debug
`;

test("tunnels and settings reach start", async () => {
  using folder = new Folder();
  const file = folder.write(complete);
  const start = (await parse(["start", "shop", "--config", file])) as StartInvocation;
  assert.deepEqual(start.names, ["shop"]);
  assert.deepEqual(
    [start.servers, start.tokenFile, start.caFile, start.plaintext, start.admin.listen, start.limits],
    [
      ["ws://127.0.0.1:1", "wss://b.test"],
      join(folder.path, "secrets/token"),
      join(homedir(), "ca.pem"),
      true,
      "127.0.0.1:9191",
      { drainMs: 5_000, deadAfterMs: 3_000 },
    ],
  );
  assert.deepEqual(start.config.tunnels, [
    {
      key: "shop",
      name: "shop",
      target: 8000,
      type: "http",
      hostHeader: "rewrite",
      health: { path: "/healthz", intervalMs: 1_000, failAfter: 2 },
    },
    { key: "db", name: "db", target: 5432, type: "tcp", port: 15_432 },
    {
      key: "anon",
      target: "https://localhost:8443",
      type: "http",
      targetInsecure: true,
      targetCaFile: join(folder.path, "ca.pem"),
    },
    { key: "own", name: "own", target: 8443, type: "tls", health: { intervalMs: 1_000 } },
  ]);
});

test("flags win over the environment, and that over the file", async () => {
  using folder = new Folder();
  const file = folder.write(complete);
  const env = { CAISSON_DRAIN: "6", CAISSON_DEAD_AFTER: "7", CAISSON_CONFIG: file };
  const http = (await parse(["http", "1", "--drain", "8"], env)) as HttpInvocation;
  assert.deepEqual(http.limits, { drainMs: 8_000, deadAfterMs: 7_000 });
  assert.equal(http.admin.listen, "127.0.0.1:9191");
  const alone = (await parse(["8000", `--config=${file}`, "--server", "ws://c"])) as HttpInvocation;
  assert.deepEqual(
    [alone.target, alone.servers, alone.limits],
    ["8000", ["ws://c"], { drainMs: 5_000, deadAfterMs: 3_000 }],
  );
});

test("serve has its own section", async () => {
  using folder = new Folder();
  const serve = (await parse(["serve", "--config", folder.write(complete)])) as ServeInvocation;
  assert.deepEqual(
    [serve.listen, serve.tokens, serve.trustedProxies, serve.open, serve.logLevel, serve.limits],
    [
      "8080",
      join(folder.path, "tokens.json"),
      ["10.0.0.0/8", "::1"],
      true,
      "debug",
      { nameHoldMs: 120_000, maxBodyBytes: 65_536 },
    ],
  );
});

test("the usual place is looked at, and need not be there", async () => {
  using folder = new Folder();
  const env = { XDG_CONFIG_HOME: folder.path };
  await assert.rejects(parse(["start"], env), /there is no configuration: give one with --config/);
  assert.deepEqual(((await parse(["http", "1"], env)) as HttpInvocation).limits, {});
  assert.deepEqual(await parse(["start", "--help"], { CAISSON_CONFIG: "/nowhere" }), { command: "none" });
  await assert.rejects(parse(["http", "1"], { CAISSON_CONFIG: "/nowhere" }), /cannot read the configuration/);
});

test("docs/caisson.schema.json is the schema", () => {
  assert.deepEqual(
    JSON.parse(readPackageFile("docs/caisson.schema.json")),
    JSON.parse(JSON.stringify(configJsonSchema())),
    "make it again: node dist/src/cli/main.js config schema > docs/caisson.schema.json",
  );
});
