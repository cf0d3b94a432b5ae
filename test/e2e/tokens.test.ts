// A server with tokens: who is let in, with which names, and what becomes of them when their tokens end.

import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { ReloadInfo } from "../../src/assemble/serve.ts";
import { serve } from "../../src/assemble/serve.ts";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { RawClient } from "../support/raw-client.ts";
import type { RigOptions } from "../support/rig.ts";
import { Rig } from "../support/rig.ts";
import type { MadeToken, Scope } from "../support/tokens.ts";
import { TokensFile } from "../support/tokens.ts";
import { until } from "../support/until.ts";

/** A rig whose client has a token of this scope. */
async function guarded(
  scope: Scope = {},
  more: RigOptions = {},
): Promise<{ rig: Rig; file: TokensFile; own: MadeToken }> {
  const file = new TokensFile();
  const own = await file.add(scope);
  const rig = await Rig.start({
    ...more,
    serve: { tokens: file.file, ...more.serve },
    connect: { token: own.token, ...more.connect },
  });
  return { rig, file, own };
}

function fails(code: string, pattern: RegExp = /./): (error: unknown) => boolean {
  return (error) => error instanceof CaissonError && error.code === code && pattern.test(error.message);
}

void test("a token opens the server, and nothing else does", async () => {
  const { rig, file, own } = await guarded();
  await using _ = rig;
  using __ = file;
  assert.equal((await rig.fetch("/hello")).body, "GET /hello");
  const another = { name: "other", target: 1 };
  await assert.rejects(rig.connectAnother({ ...another, token: `${own.token}x` }), fails("E_AUTH", /401/));
  // connect() takes "undefined" for absent.
  await assert.rejects(
    rig.connectAnother({ ...another, token: undefined } as object),
    fails("E_AUTH", /wants a token/),
  );
  assert.equal(rig.serverLedger.accounts.session.opened, 1);
  await rig.connectAnother({ ...another, token: own.token });
});

void test("a token's scope says which names it may use", async () => {
  const { rig, file, own } = await guarded({ names: ["demo", "ci-*"] });
  await using _ = rig;
  using __ = file;
  const ask = (name: string | undefined): Promise<unknown> => rig.connectAnother({ name, token: own.token } as object);
  await ask("ci-7");
  await assert.rejects(ask("other"), fails("E_AUTH", /scope/));
  await assert.rejects(ask(undefined), fails("E_AUTH", /scope/));
  await assert.rejects(ask("www"), fails("E_USAGE", /reserved/));
});

void test("a name that a token lists is kept for it, reserved ones too", async () => {
  const { rig, file, own } = await guarded();
  await using _ = rig;
  using __ = file;
  const owner = await file.add({ names: ["shop", "www"] });
  await rig.server.reload();
  await assert.rejects(rig.connectAnother({ name: "shop", token: own.token }), fails("E_AUTH", /scope/));
  await rig.connectAnother({ name: "shop", token: owner.token });
  await rig.connectAnother({ name: "www", token: owner.token });
});

void test("a name that another token comes to list is taken from whoever has it", async () => {
  const { rig, file } = await guarded();
  await using _ = rig;
  using __ = file;
  const owner = await file.add({ names: ["demo"] });
  await rig.server.reload();
  assert.ok(fails("E_AUTH", /may not use this name/)(await rig.tunnel.closed));
  await rig.connectAnother({ name: "demo", token: owner.token });
  assert.equal((await rig.fetch("/")).status, 200);
});

void test("tunnels and sessions of a token are counted over all of its clients", async () => {
  const limits = { maxSessionsPerToken: 3, maxTunnelsPerSession: 1 };
  const { rig, file, own } = await guarded({ maxTunnels: 2 }, { serve: { limits } });
  await using _ = rig;
  using __ = file;
  const { token } = own;
  await rig.connectAnother({ name: "two", token });
  await assert.rejects(rig.connectAnother({ name: "three", token }), fails("E_REFUSED", /as many tunnels/));
  const other = await file.add();
  await rig.server.reload();
  await rig.connectAnother({ name: "three", token: other.token });
  await assert.rejects(rig.connectAnother({ name: "four", token: other.token }), fails("E_REFUSED"));
  const third = await file.add({ maxTunnels: 10 });
  await rig.server.reload();
  for (const name of ["a", "b", "c"]) await rig.connectAnother({ name, token: third.token });
  const more = rig.connectAnother({ name: "d", token: third.token, limits: { firstConnectMs: 0 } });
  await assert.rejects(more, fails("E_CONNECT", /as many sessions/));
});

void test("the same token takes its name over, and the client before is told so", async () => {
  const { rig, file, own } = await guarded({ maxTunnels: 1 });
  await using _ = rig;
  using __ = file;
  const newer = await rig.connectAnother({ token: own.token });
  assert.ok(fails("E_REPLACED")(await rig.tunnel.closed));
  assert.equal(newer.name, "demo");
  assert.equal((await rig.fetch("/")).status, 200);
});

void test("revoking a token ends its sessions at once, requests in flight included", async () => {
  const { rig, file, own } = await guarded({}, { target: (_, response) => void response.write("half of ") });
  await using _ = rig;
  using __ = file;
  const visitor = await RawClient.connect(rig.port);
  visitor.send("GET / HTTP/1.1\r\nHost: demo.localhost\r\n\r\n");
  await visitor.receive("half of ");
  // No reload(): the server follows the file by itself.
  await file.revoke(own.entry.id);
  assert.ok(fails("E_AUTH", /revoked/)(await rig.tunnel.closed));
  assert.equal(await visitor.ended(), "reset");
  assert.equal((await rig.fetch("/")).status, 404);
  await until(() => rig.serverLedger.live("session") === 0, { what: "the session is gone" });
  await assert.rejects(rig.connectAnother({ token: own.token }), fails("E_AUTH", /401/));
  visitor.close();
});

void test("a token that expires ends its sessions", async () => {
  const { rig, file, own } = await guarded({ expiresMs: Date.now() + 1_500 });
  await using _ = rig;
  using __ = file;
  assert.equal((await rig.fetch("/")).status, 200);
  assert.ok(fails("E_AUTH", /expired/)(await rig.tunnel.closed));
  assert.equal((await rig.fetch("/")).status, 404);
  await assert.rejects(rig.connectAnother({ token: own.token }), fails("E_AUTH", /401/));
});

void test("a file that is missing, empty or half written changes nothing", async () => {
  const { rig, file, own } = await guarded();
  await using _ = rig;
  using __ = file;
  const reloads: ReloadInfo[] = [];
  rig.server.on("reload", (info) => reloads.push(info));
  const whole = readFileSync(file.file, "utf8");
  const states = [whole.slice(0, whole.length / 2), "", "not json", '{"version":1}', undefined];
  for (const [at, state] of states.entries()) {
    if (state === undefined) rmSync(file.file);
    else writeFileSync(file.file, state);
    await until(() => reloads.length > at, { what: `state ${at} is noticed`, timeoutMs: 20_000 });
    assert.equal(reloads[at]?.error?.code, "E_CONFIG");
    assert.equal(reloads[at]?.count, 1);
  }
  assert.equal((await rig.fetch("/")).status, 200);
  await rig.connectAnother({ name: "still", token: own.token });
  writeFileSync(file.file, whole, { mode: 0o600 });
  await until(() => reloads.at(-1)?.error === undefined, { what: "the whole file is read", timeoutMs: 20_000 });
  assert.equal(reloads.at(-1)?.count, 1);
  assert.equal((await rig.fetch("/")).status, 200);
});

void test("other tokens of the file are not touched by a change", async () => {
  const { rig, file } = await guarded();
  await using _ = rig;
  using __ = file;
  const passing = await file.add();
  await rig.server.reload();
  const second = await rig.connectAnother({ name: "second", token: passing.token });
  const opened = rig.serverLedger.accounts.session.opened;
  await file.revoke(passing.entry.id);
  assert.ok(fails("E_AUTH")(await second.closed));
  assert.equal((await rig.fetch("/")).status, 200);
  assert.equal(rig.serverLedger.accounts.session.opened, opened);
});

void test("with tokens a server may listen for others, without them it may not", async () => {
  using file = new TokensFile();
  await assert.rejects(serve({ listen: "0.0.0.0:0", tokens: file.file }), fails("E_CONFIG", /caisson token create/));
  await file.add();
  await using server = await serve({ listen: "0.0.0.0:0", tokens: file.file });
  assert.ok(server.url !== "");
  await assert.rejects(serve({ listen: "0.0.0.0:0" }), fails("E_CONFIG", /without tokens/));
});
