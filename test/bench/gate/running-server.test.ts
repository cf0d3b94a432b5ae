// `caisson gate --server` against a server that somebody else started: one that wants a token and has a domain of its own. What
// cannot be gated is refused before any client connects.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { exitCodes } from "../../../src/cli/exit-codes.ts";
import type { CaissonProcess } from "../../support/run.ts";
import { startCaisson } from "../../support/run.ts";
import { TokensFile } from "../../support/tokens.ts";

const domain = "tunnels.example.com";

/** As docs/ci.md says, and with short holds. */
const serverArgs: readonly string[] = [
  ["serve", "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--domain", domain],
  ["--dead-after", "3s", "--ping-every", "1s", "--name-hold", "2s", "--ws-close-timeout", "1s"],
  ["--max-aborts", "100000", "--max-sessions-per-token", "1000", "--max-loop-delay", "1h", "--watch-one-in", "1"],
].flat();

/** How a run of the gate ended, and all that it said. */
async function gate(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly said: string }> {
  await using running: CaissonProcess = startCaisson(["gate", ...args], { env });
  const { code } = await running.exited;
  return { code, said: `${running.lines.join("\n")}\n${running.stderr}` };
}

test("a server with tokens and a domain of its own is gated with one of its tokens", async () => {
  using tokens = new TokensFile();
  const { token } = await tokens.add({ maxTunnels: 1_000 });
  const adminToken = join(tokens.folder, "admin-token");
  const files = ["--tokens", tokens.file, "--admin-token-file", adminToken];
  await using server = startCaisson([...serverArgs, ...files]);
  const { url, admin } = await server.event("listening");
  const place = ["--server", String(url), "--admin", String(admin), "--admin-token-file", adminToken];
  const work = ["--quick", "--clients", "64", "--rounds", "8", "--scenario", "storm", "--scenario", "clean"];
  const { code, said } = await gate([...place, "--domain", domain, ...work], { CAISSON_TOKEN: token });
  // Whatever a noisy machine does to so short a run: every client was let in, and every visitor was answered.
  assert.ok(code === exitCodes.done || code === exitCodes.undecided, said);
  assert.match(said, /^(?:clean|undecided): \d+ connections and \d+ requests in \d+ rounds/m);
  assert.ok(!said.includes(token), "the token is told nobody");
});

test("what cannot be gated is refused, and says why", async () => {
  using tokens = new TokensFile();
  const tokenFile = join(tokens.folder, "token");
  writeFileSync(tokenFile, (await tokens.add()).token, { mode: 0o600 });
  const admin = ["--admin", "http://127.0.0.1:9", "--admin-token-file", tokenFile];
  const secure = await gate(["--server", "https://tunnels.example.com", ...admin]);
  assert.equal(secure.code, exitCodes.usage, secure.said);
  assert.match(secure.said, /the gate speaks no TLS: give the address at which the server listens without it/);
  const readable = await gate(["--server", "http://192.0.2.1:8080", ...admin, "--token-file", tokenFile]);
  assert.equal(readable.code, exitCodes.usage, readable.said);
  assert.match(readable.said, /the token would be readable on the way/);
  const alone = await gate(["--domain", domain]);
  assert.equal(alone.code, exitCodes.usage, alone.said);
  assert.match(alone.said, /--domain is that of a server that runs already/);
});
