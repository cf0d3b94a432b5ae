// Somebody who can reach the private listener guesses its token tens of thousands of times, pipelined, over many connections.
// The tunnel goes on beside it, and whoever has the token is let in all the while.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { brokenLaws, PrivateAdmin } from "../support/admin-reader.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";
import { Words } from "./words.ts";

const connections = 5_000;
/** More would be cut before one is answered. */
const guessesOnEach = 4;
const atOnce = 16;

/** Sends its guesses in one go and reads until the listener hangs up. Answers the statuses that came. */
async function guess(port: number, first: number): Promise<string[]> {
  const socket = connect({ port, host: "127.0.0.1" });
  let answers = "";
  socket.setEncoding("latin1");
  socket.on("data", (text: string) => (answers += text));
  // A reset, because the rest of the guesses was never read.
  socket.on("error", () => undefined);
  const heads = Array.from({ length: guessesOnEach }, (_, at) => {
    const token = `csa_${String(first + at).padStart(43, "0")}`;
    const last = at === guessesOnEach - 1 ? "Connection: close\r\n" : "";
    return `GET /debug/resources HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\n${last}\r\n`;
  });
  socket.write(heads.join(""));
  await once(socket, "close");
  return answers.match(/^HTTP\/1\.1 \d+/gmu) ?? [];
}

test("20,000 wrong admin tokens beside requests: the tunnel goes on", { timeout: 180_000 }, async () => {
  using admin = new PrivateAdmin();
  const words = new Words();
  await using rig = await Rig.start({
    serve: { listen: "127.0.0.1:0", catchAll: "demo", admin: admin.options },
    serverSubscribers: [words],
  });
  const reader = admin.reader(rig.server);
  const port = Number(new URL(rig.server.admin).port);
  const statuses = new Map<string, number>();
  const guessers = { begun: 0 };
  const guesser = async (): Promise<void> => {
    while (guessers.begun < connections) {
      const number = (guessers.begun += 1);
      for (const status of await guess(port, number * guessesOnEach)) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    }
  };
  const guessing = Promise.all(Array.from({ length: atOnce }, guesser));
  let answered = 0;
  let asked = 0;
  while (guessers.begun < connections) {
    assert.equal((await rig.fetch("/")).status, 200);
    answered += 1;
    if (answered % 10 !== 0) continue;
    await reader.resources();
    asked += 1;
  }
  await guessing;
  assert.ok(answered > 20 && asked > 2, `${answered} requests, ${asked} questions`);
  assert.deepEqual([...statuses.keys()].toSorted(), ["HTTP/1.1 401", "HTTP/1.1 429"]);
  // The first ten, and one more every six seconds: the rest cost an answer and tell nothing.
  assert.ok((statuses.get("HTTP/1.1 401") ?? 0) < 100, String(statuses.get("HTTP/1.1 401")));
  const counted = words.refusals.filter((word) => word === "admin_token").length;
  assert.ok(counted >= 10 && counted < 100, `${counted} guesses were counted`);
  assert.equal(rig.serverLedger.accounts.session.opened, 1);
  await until(async () => brokenLaws(await reader.resources()).length === 0, { what: "the ledgers agree" });
});
