// `caisson token`, and a server and clients that live by its file, as processes.

import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runCaisson, startCaisson } from "../support/run.ts";
import { TokensFile } from "../support/tokens.ts";

const tokenForm = /^csn_[A-Za-z0-9_-]{49}$/;

test("create shows the token once on stdout, and list never does", async () => {
  using tokens = new TokensFile();
  const at = ["--tokens", tokens.file];
  const made = await runCaisson(["token", "create", ...at, "--name", "shop,ci-*", "--label", "Ann's laptop"]);
  assert.equal(made.code, 0, made.stderr);
  const token = made.stdout.trimEnd();
  assert.match(token, tokenForm);
  assert.ok(!made.stderr.includes(token));
  const [id = ""] = /[0-9a-f]{12}/.exec(made.stderr) ?? [];
  const list = await runCaisson(["token", "list", ...at]);
  assert.match(
    list.stdout,
    new RegExp(`^${id}\\s+shop,ci-\\*\\s+-\\s+-\\s+\\d{4}-\\d\\d-\\d\\d\\s+never\\s+Ann's laptop$`, "m"),
  );
  for (const text of [list.stdout, readFileSync(tokens.file, "utf8")]) assert.ok(!text.includes(token.slice(4, 14)));
});

test("create writes json, files, limits and expiries", async () => {
  using tokens = new TokensFile();
  const output = join(tokens.folder, "ci.token");
  const args = [
    "token",
    "create",
    "--json",
    "--port",
    "2200-2299",
    "--max-tunnels",
    "3",
    "--expires",
    "30d",
    "--output",
    output,
  ];
  const made = await runCaisson(args, { env: { CAISSON_TOKENS: tokens.file, CAISSON_NAME: "not-for-this" } });
  assert.equal(made.code, 0, made.stderr);
  const event = JSON.parse(made.stdout) as Record<string, unknown>;
  assert.deepEqual(
    [event["names"], event["ports"], event["maxTunnels"], event["expired"], event["token"]],
    [[], ["2200-2299"], 3, false, undefined],
  );
  const inDays = (Date.parse(String(event["expires"])) - Date.now()) / 86_400_000;
  assert.ok(inDays > 29.9 && inDays <= 30);
  assert.match(readFileSync(output, "utf8").trimEnd(), tokenForm);
  if (process.platform !== "win32") assert.equal(statSync(output).mode & 0o777, 0o600);
  // An older token is not overwritten.
  assert.equal((await runCaisson([...args, "--tokens", tokens.file])).code, 3);
});

const misuses: readonly (readonly [args: readonly string[], code: number, pattern: RegExp])[] = [
  [[], 2, /create, list or revoke/],
  [["make"], 2, /token --help|unknown command/],
  [["create", "--name", "sh op"], 2, /wildcard/],
  [["create", "--name", "a*b*"], 2, /wildcard/],
  [["create", "--port", "70000"], 2, /range/],
  [["create", "--expires", "2001-01-01"], 2, /future/],
  [["create", "--expires", "soon"], 2, /30d/],
  [["create", "--max-tunnels", "0"], 2, /at least 1/],
  [["create", "--label", "\u001b[2J"], 2, /label/],
  [["list"], 3, /caisson token create/],
  [["revoke"], 2, /id/],
  [["revoke", "000000000000"], 2, /no token/],
  [["revoke", "csn_abc"], 2, /not the token/],
];
test("misuse is told apart, and says what to do", async () => {
  for (const [args, code, pattern] of misuses) {
    using tokens = new TokensFile();
    const result = await runCaisson(["token", ...args], { env: { CAISSON_TOKENS: tokens.file } });
    assert.equal(result.code, code, `${args.join(" ")}: ${result.stderr}`);
    assert.match(result.stderr, pattern);
  }
});

test("serve lets tokens in, follows their file, and ends clients whose token is revoked with 4", async () => {
  using tokens = new TokensFile();
  const own = await tokens.add({ names: ["demo"] });
  await using server = startCaisson([
    "serve",
    "--json",
    "--listen",
    "127.0.0.1:0",
    "--admin",
    "off",
    "--tokens",
    tokens.file,
  ]);
  const { url } = await server.event("listening");
  const at = ["http", "9", "--json", "--server", String(url).replace("http", "ws"), "--name"];
  const wrong = await runCaisson([...at, "demo"], { env: { CAISSON_TOKEN: own.token.slice(0, -1) } });
  assert.equal(wrong.code, 4, wrong.stderr);
  const mistyped = await runCaisson([...at, "demo"], { env: { CAISSON_TOKEN: own.token.replace(/.$/, "!") } });
  assert.equal(mistyped.code, 4, mistyped.stderr);
  const outside = await runCaisson([...at, "shop"], { env: { CAISSON_TOKEN: own.token } });
  assert.equal(outside.code, 4, outside.stderr);
  const tokenFile = join(tokens.folder, "token");
  writeFileSync(tokenFile, `${own.token}\n`, { mode: 0o600 });
  await using client = startCaisson([...at, "demo", "--token-file", tokenFile]);
  await client.event("tunnel");
  // A file that is broken is logged, and changes nothing; SIGHUP reads it again.
  const whole = readFileSync(tokens.file, "utf8");
  writeFileSync(tokens.file, whole.slice(0, 30));
  await server.complaint(/stays in force/);
  writeFileSync(tokens.file, whole);
  server.kill("SIGHUP");
  await server.complaint(/read tokens again: 1 in force/);
  assert.equal(client.stderr, "");
  const revoked = await runCaisson(["token", "revoke", own.entry.id, "--tokens", tokens.file]);
  assert.equal(revoked.stdout, `revoked ${own.entry.id}\n`);
  assert.deepEqual(await client.exit(), { code: 4, signal: null });
  assert.match(client.stderr, /revoked/);
  for (const text of [server.stderr, server.lines.join("\n")]) assert.ok(!text.includes(own.token.slice(4, 14)));
});

test("a server with tokens may listen for others; one whose file is missing does not start", async () => {
  using tokens = new TokensFile();
  const args = ["serve", "--listen", "0.0.0.0:0", "--admin", "off", "--json"];
  const missing = await runCaisson([...args, "--tokens", tokens.file]);
  assert.equal(missing.code, 3);
  assert.match(missing.stderr, /caisson token create/);
  assert.equal((await runCaisson(args)).code, 3);
  await tokens.add();
  await using server = startCaisson([...args, "--tokens", tokens.file]);
  await server.event("listening");
});
