// Tokens, cookies, codes and guesses, without sockets.

import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { AdminAuth, codeMs, cookieMs } from "../../src/admin/admin-auth.ts";
import { loadAdminToken, newAdminToken } from "../../src/admin/admin-token.ts";
import { GuessLimiter } from "../../src/tokens/guess-limiter.ts";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { token } from "./rig.ts";

function auth(): AdminAuth {
  return new AdminAuth({ token, cookieName: "c" });
}

function judge(subject: AdminAuth, shown: { authorization?: string; cookie?: string; peer?: string }): string {
  const { authorization, cookie, peer = "local" } = shown;
  return subject.judge({ authorization, cookie, peer }).kind;
}

function cookieOf(subject: AdminAuth, secret: string, peer: string = "local"): string {
  const result = subject.signIn(secret, peer);
  assert.ok("setCookie" in result);
  assert.match(result.setCookie, /^c=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/u);
  return result.setCookie.split(";")[0] ?? "";
}

test("bearer tokens", () => {
  const subject = auth();
  for (const good of [`Bearer ${token}`, `bearer ${token}`, `BEARER   ${token} `]) {
    assert.equal(judge(subject, { authorization: good }), "bearer");
  }
  for (const bad of [
    "",
    "Bearer",
    "Bearer ",
    token,
    `Basic ${token}`,
    `Bearer ${token}x`,
    `Bearer ${token.slice(1)}`,
    `Bearer ${"x".repeat(100_000)}`,
  ]) {
    assert.equal(judge(subject, { authorization: bad }), "guessed", bad.slice(0, 40));
  }
  assert.equal(judge(subject, {}), "anonymous");
});

test("the token and a code are traded for cookies; a code works once", () => {
  const subject = auth();
  const byToken = cookieOf(subject, token);
  const code = subject.issueCode();
  const byCode = cookieOf(subject, code);
  assert.ok("retrySeconds" in subject.signIn(code, "local"));
  assert.equal(judge(subject, { cookie: byToken }), "cookie");
  assert.equal(judge(subject, { cookie: `other=1; ${byCode} ; x` }), "cookie");
  for (const cookie of ["", "c", "c=", "c=wrong", "C=wrong", byToken.replace("c=", "d=")]) {
    assert.equal(judge(subject, { cookie }), "anonymous", cookie);
  }
  assert.equal(judge(subject, { cookie: byToken, authorization: "Bearer wrong" }), "guessed");
});

test("a cookie is good for its own peer, until it expires or is given back", (t) => {
  const subject = auth();
  let nowMs = 5_000;
  t.mock.method(performance, "now", () => nowMs);
  const cookie = cookieOf(subject, token, "10.0.0.1");
  assert.equal(judge(subject, { cookie, peer: "10.0.0.1" }), "cookie");
  assert.equal(judge(subject, { cookie, peer: "10.0.0.2" }), "anonymous");
  const returned = cookieOf(subject, token, "10.0.0.1");
  assert.match(subject.signOut(returned), /^c=; Path=\/; Max-Age=0;/u);
  assert.equal(judge(subject, { cookie: returned, peer: "10.0.0.1" }), "anonymous");
  const code = subject.issueCode();
  nowMs += codeMs + 1;
  assert.ok("retrySeconds" in subject.signIn(code, "local"));
  nowMs += cookieMs;
  assert.equal(judge(subject, { cookie, peer: "10.0.0.1" }), "anonymous");
  assert.equal(subject.signedIn, 0);
});

test("cookies and codes are few", () => {
  const subject = auth();
  const first = cookieOf(subject, token);
  const code = subject.issueCode();
  for (let count = 0; count < 1_000; count += 1) {
    cookieOf(subject, token);
    subject.issueCode();
  }
  assert.equal(subject.signedIn, 64);
  assert.equal(judge(subject, { cookie: first }), "anonymous");
  assert.ok("retrySeconds" in subject.signIn(code, "local"));
});

test("a million wrong guesses cost bounded memory, and never lock out the right token", () => {
  const subject = auth();
  let waits = 0;
  for (let guess = 0; guess < 1_000_000; guess += 1) {
    const verdict = subject.judge({ authorization: `Bearer guess-${guess}`, cookie: undefined, peer: "local" });
    assert.ok(verdict.kind === "guessed");
    if (verdict.retrySeconds > 0) waits += 1;
  }
  assert.ok(waits > 990_000);
  assert.equal(judge(subject, { authorization: `Bearer ${token}` }), "bearer");
});

test("guesses are slowed down per address, then for all, and allowed again after a while", (t) => {
  let nowMs = 0;
  t.mock.method(performance, "now", () => nowMs);
  const limiter = new GuessLimiter();
  const burst = (address: string): number => {
    let free = 0;
    while (limiter.wrong(address) === 0) free += 1;
    return free;
  };
  assert.equal(burst("10.0.0.1"), 10);
  assert.equal(limiter.wrong("10.0.0.1"), 6);
  assert.equal(limiter.wrong("10.0.0.2"), 0);
  nowMs += 6_000;
  assert.equal(burst("10.0.0.1"), 1);
  nowMs += 600_000;
  let free = 0;
  for (let host = 0; host < 5_000; host += 1) free += burst(`10.1.${host >> 8}.${host & 255}`);
  assert.equal(free, 100);
  assert.equal(limiter.size, 1_000);
});

test("one IPv6 network is one guesser", () => {
  const limiter = new GuessLimiter();
  let free = 0;
  for (let host = 0; host < 500; host += 1) if (limiter.wrong(`2001:db8:1:2:${host.toString(16)}::1`) === 0) free += 1;
  assert.equal(free, 10);
  assert.equal(limiter.size, 1);
});

test("the token file is made for its owner only, and read again", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "caisson-token-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "new", "admin-token");
  const made = await loadAdminToken(file);
  assert.match(made, /^csa_[\w-]{43}$/u);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal((await stat(join(folder, "new"))).mode & 0o777, 0o700);
  assert.equal(await loadAdminToken(file), made);
  assert.equal((await readFile(file, "utf8")).trim(), made);
  assert.deepEqual(await readdir(join(folder, "new")), ["admin-token"]);
  assert.notEqual(newAdminToken(), newAdminToken());
});

test("roles that start together have one token", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "caisson-token-"));
  t.after(() => rm(folder, { recursive: true }));
  for (let round = 0; round < 20; round += 1) {
    const file = join(folder, String(round), "admin-token");
    const tokens = await Promise.all(Array.from({ length: 4 }, () => loadAdminToken(file)));
    assert.equal(new Set(tokens).size, 1);
    assert.deepEqual(await readdir(join(folder, String(round))), ["admin-token"]);
  }
});

test("a token file that others read, or that could be guessed, is refused", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "caisson-token-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "token");
  const refused = async (content: string, mode: number): Promise<void> => {
    await writeFile(file, content);
    await chmod(file, mode);
    await assert.rejects(loadAdminToken(file), (error) => error instanceof CaissonError && error.code === "E_CONFIG");
  };
  await refused(`${token}\n`, 0o644);
  await refused(`${token}\n`, 0o640);
  for (const content of ["", "short", "two words of sufficient length", "x".repeat(513), `a\n${token}`])
    await refused(content, 0o600);
  await assert.rejects(loadAdminToken(folder), CaissonError);
});
