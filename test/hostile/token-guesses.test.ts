// People without a token who would like to be let in: they guess, cut, repeat and flood. All of them get the same answer,
// none of them faster than another, and none of them keeps out those who have a token.

import assert from "node:assert/strict";
import { test } from "node:test";
import { RawClient } from "../support/raw-client.ts";
import { Rig } from "../support/rig.ts";
import type { MadeToken } from "../support/tokens.ts";
import { makeToken, TokensFile } from "../support/tokens.ts";
import { until } from "../support/until.ts";
import { Words } from "./words.ts";

const delayMs = 400;

interface Guarded extends AsyncDisposable {
  readonly rig: Rig;
  readonly words: Words;
  readonly own: MadeToken;
  readonly expired: MadeToken;
}

async function start(): Promise<Guarded> {
  const file = new TokensFile();
  const own = await file.add();
  const expired = await file.add({ expiresMs: Date.now() - 1_000 });
  const words = new Words();
  const rig = await Rig.start({
    serve: { tokens: file.file, limits: { authDelayMs: delayMs, maxVisitorsPerAddress: 1_000 }, trustedProxies: [] },
    connect: { token: own.token },
    serverSubscribers: [words],
  });
  const close = async (): Promise<void> => {
    await rig.close();
    file[Symbol.dispose]();
  };
  return { rig, words, own, expired, [Symbol.asyncDispose]: close };
}

function login(lines: string): string {
  return (
    "GET /_caisson/connect HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
    `Sec-WebSocket-Protocol: caisson.v1\r\n${lines}\r\n`
  );
}

interface Answered {
  readonly text: string;
  readonly ms: number;
}

async function ask(port: number, lines: string): Promise<Answered> {
  const visitor = await RawClient.connect(port);
  try {
    const sentAt = performance.now();
    visitor.send(login(lines));
    await visitor.receive("\r\n\r\n");
    const ms = performance.now() - sentAt;
    if (!visitor.text.startsWith("HTTP/1.1 101")) assert.equal(await visitor.ended(), "fin");
    return { text: visitor.text, ms };
  } finally {
    visitor.close();
  }
}

void test("whatever is wrong with a token, the answer is the same, and takes its time", async () => {
  await using guarded = await start();
  const { rig, own, expired, words } = guarded;
  const { token } = own;
  const wrongs: readonly (readonly [what: string, lines: string])[] = [
    ["none", ""],
    ["an empty field", "Authorization: \r\n"],
    ["another scheme", `Authorization: Basic ${token}\r\n`],
    ["nothing behind the scheme", "Authorization: Bearer \r\n"],
    ["the right one without its last character", `Authorization: Bearer ${token.slice(0, -1)}\r\n`],
    ["the first half of the right one", `Authorization: Bearer ${token.slice(0, 28)}\r\n`],
    ["the right one and more", `Authorization: Bearer ${token}${token}\r\n`],
    ["one that never was", `Authorization: Bearer ${makeToken().token}\r\n`],
    ["one that has expired", `Authorization: Bearer ${expired.token}\r\n`],
    ["the id of the right one", `Authorization: Bearer ${own.entry.id}\r\n`],
  ];
  // As many as an address has free: the one after them is told to wait.
  const answers = await Promise.all(wrongs.map(([, lines]) => ask(rig.port, lines)));
  for (const [at, { text, ms }] of answers.entries()) {
    const [what] = wrongs[at] ?? [];
    assert.equal(text, answers[0]?.text, what);
    assert.ok(ms >= delayMs, `${what}: ${ms} ms`);
  }
  assert.match(answers[0]?.text ?? "", /^HTTP\/1\.1 401 .*\r\nWWW-Authenticate: Bearer\r\n/s);
  assert.deepEqual(new Set(words.logins), new Set(["ok", "unauthorized"]));
  const counted = (word: string): number => words.refusals.filter((refusal) => refusal === word).length;
  assert.deepEqual([counted("token_missing"), counted("token_unknown"), counted("token_expired")], [4, 5, 1]);
  assert.equal(rig.serverLedger.accounts.session.opened, 1);
});

void test("who guesses often is told to wait, and keeps nobody with a token out", async () => {
  await using guarded = await start();
  const { rig, own } = guarded;
  const guess = (): Promise<Answered> => ask(rig.port, `Authorization: Bearer ${makeToken().token}\r\n`);
  const answers = await Promise.all(Array.from({ length: 60 }, guess));
  const slowed = answers.filter(({ text }) => text.startsWith("HTTP/1.1 429 "));
  assert.ok(slowed.length >= 45, String(slowed.length));
  for (const { text, ms } of slowed) {
    assert.match(text, /\r\nRetry-After: [1-9]\d*\r\n/);
    assert.ok(ms >= delayMs);
  }
  const right = await ask(rig.port, `Authorization: Bearer ${own.token}\r\n`);
  assert.match(right.text, /^HTTP\/1\.1 101 /);
  assert.ok((rig.server.inventory().probes["tokens.guessers"] ?? 0) <= 1);
});

void test("a right token does not make a web page a client", async () => {
  await using guarded = await start();
  const { rig, own } = guarded;
  const lines = `Origin: http://localhost\r\nAuthorization: Bearer ${own.token}\r\n`;
  assert.match((await ask(rig.port, lines)).text, /^HTTP\/1\.1 403 /);
  assert.equal(rig.serverLedger.accounts.session.opened, 1);
});

void test("sockets that wait for their answer are let go of when they leave, and when the server closes", async () => {
  const guarded = await start();
  const { rig } = guarded;
  const visitors = await Promise.all(Array.from({ length: 30 }, () => RawClient.connect(rig.port)));
  for (const visitor of visitors) visitor.send(login(""));
  await until(() => rig.server.inventory().probes["own.pending"] === visitors.length, { what: "all wait" });
  for (const visitor of visitors.slice(0, 15)) visitor.reset();
  await until(() => rig.server.inventory().probes["own.pending"] === 15, { what: "half of them are gone" });
  const closing = guarded[Symbol.asyncDispose]();
  await Promise.all(visitors.slice(15).map((visitor) => visitor.ended()));
  for (const visitor of visitors) visitor.close();
  await closing;
});

void test("behind a trusted proxy it is its visitor who guesses, and who is slowed down", async () => {
  using file = new TokensFile();
  const own = await file.add();
  const limits = { authDelayMs: 0, maxVisitorsPerAddress: 1_000 };
  await using rig = await Rig.start({
    serve: { tokens: file.file, limits, trustedProxies: ["127.0.0.1"] },
    connect: { token: own.token },
  });
  const guessFrom = async (address: string): Promise<string> =>
    (await ask(rig.port, `X-Forwarded-For: 203.0.113.9, ${address}\r\n`)).text.slice(9, 12);
  const first: string[] = [];
  for (let n = 0; n < 12; n += 1) first.push(await guessFrom("198.51.100.1"));
  assert.deepEqual([first[0], first.at(-1)], ["401", "429"]);
  assert.equal(await guessFrom("198.51.100.2"), "401");
});
