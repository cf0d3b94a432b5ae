// Clients that want names which are not theirs: after their owner vanished, with a stolen key, with a token that was
// revoked, or by a name that looks like another one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Log } from "../../src/observe/log.ts";
import { LogEvents } from "../../src/observe/log-events.ts";
import { Redactor } from "../../src/observe/redactor.ts";
import { control } from "../support/raw-peer.ts";
import { Rig } from "../support/rig.ts";
import type { MadeToken } from "../support/tokens.ts";
import { TokensFile } from "../support/tokens.ts";
import { until } from "../support/until.ts";
import { WireClient } from "./wire-client.ts";

interface Guarded extends AsyncDisposable {
  readonly rig: Rig;
  readonly file: TokensFile;
  readonly ann: MadeToken;
  readonly ben: MadeToken;
  readonly lines: string[];
}

/** A server with two tokens that may use any name, and what it logs. */
async function start(): Promise<Guarded> {
  const file = new TokensFile();
  const ann = await file.add();
  const ben = await file.add();
  const lines: string[] = [];
  const log = new Log({ format: "json", level: "debug", redactor: new Redactor(), write: (line) => lines.push(line) });
  const rig = await Rig.start({
    serve: { tokens: file.file, limits: { authDelayMs: 0 } },
    connect: { token: ann.token },
    serverSubscribers: [new LogEvents(log)],
  });
  const close = async (): Promise<void> => {
    await rig.close();
    file[Symbol.dispose]();
  };
  return { rig, file, ann, ben, lines, [Symbol.asyncDispose]: close };
}

async function vanish(client: WireClient, rig: Rig): Promise<void> {
  const held = rig.server.inventory().probes["names.held"] ?? 0;
  client[Symbol.dispose]();
  await until(() => (rig.server.inventory().probes["names.held"] ?? 0) > held, { what: "its name is held" });
}

void test("the name of a client that vanished is its token's, with a stolen key or without", async () => {
  await using guarded = await start();
  const { rig, ann, ben } = guarded;
  const owner = await WireClient.connect(rig.port, { token: ann.token });
  const granted = await owner.register(1, { name: "shop" });
  assert.equal(granted.type, "registered");
  const { resumeKey = "" } = granted;
  await vanish(owner, rig);
  using thief = await WireClient.connect(rig.port, { token: ben.token });
  assert.equal((await thief.register(1, { name: "shop" })).code, "name_taken");
  assert.equal((await thief.register(2, { name: "shop", resumeKey })).code, "name_taken");
  using again = await WireClient.connect(rig.port, { token: ann.token });
  assert.equal((await again.register(1, { name: "shop" })).type, "registered");
  // Live names neither.
  assert.equal((await thief.register(3, { name: "shop", resumeKey })).code, "name_taken");
});

void test("a random name comes back to its key and token only, even when nobody remembers it", async () => {
  await using guarded = await start();
  const { rig, ann, ben } = guarded;
  const owner = await WireClient.connect(rig.port, { token: ann.token });
  const { name = "", resumeKey = "" } = await owner.register(1, {});
  assert.match(name, /^[a-z2-7]{16}$/);
  owner.send(control({ type: "unregister", id: 1 }));
  await until(() => rig.server.inventory().probes["names.live"] === 1, { what: "the name is released" });
  using thief = await WireClient.connect(rig.port, { token: ben.token });
  assert.equal((await thief.register(1, { name })).code, "name_taken");
  assert.equal((await thief.register(2, { name, resumeKey })).code, "name_taken");
  using same = await WireClient.connect(rig.port, { token: ann.token });
  assert.equal((await same.register(1, { name })).code, "name_taken");
  assert.equal((await same.register(2, { name, resumeKey: `${resumeKey}A` })).code, "name_taken");
  assert.equal((await same.register(3, { name, resumeKey })).type, "registered");
  owner[Symbol.dispose]();
});

void test("a revoked token keeps no name: not on its session, not while it is away", async () => {
  await using guarded = await start();
  const { rig, file, ann, ben } = guarded;
  const away = await WireClient.connect(rig.port, { token: ben.token, name: "away" });
  await vanish(away, rig);
  const here = await WireClient.connect(rig.port, { token: ben.token, name: "here" });
  await file.revoke(ben.entry.id);
  await rig.server.reload();
  assert.equal(rig.server.inventory().probes["names.held"], 0);
  using other = await WireClient.connect(rig.port, { token: ann.token });
  // At once, though the one that was told to go may still be reading.
  assert.equal((await other.register(1, { name: "here" })).type, "registered");
  assert.equal((await other.register(2, { name: "away" })).type, "registered");
  await here.gone();
  assert.deepEqual(here.closed, { code: 1000, reason: "revoked" });
});

const wrongNames = [
  "sh\0op",
  "shop\n",
  "\u001b[2Jshop",
  "shop\r\nX: y",
  "sh\u202eop",
  "ѕhop",
  "SHOP",
  "",
  "-",
  "*",
  "a.b",
  "x/../y",
  "xn--shop-6na",
];

void test("names with control bytes and look-alikes are refused, and nothing of them reaches the log", async () => {
  await using guarded = await start();
  const { rig, ann, lines } = guarded;
  using client = await WireClient.connect(rig.port, { token: ann.token });
  for (const [at, name] of wrongNames.entries()) {
    const answer = await client.register(at + 1, { name });
    assert.equal(answer.code, "name_invalid", JSON.stringify(name));
    assert.match(answer.message ?? "", /^[\x20-\x7e]+$/);
  }
  for (const line of lines) {
    assert.doesNotMatch(line.trimEnd(), /[^\x20-\x7e]/);
    assert.ok(!line.includes("\\u001b") && !line.includes("\\u0000") && !line.includes(ann.token));
  }
  assert.equal(rig.serverLedger.live("tunnel"), 1);
});
