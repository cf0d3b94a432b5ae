// What contests are made of: bodies that are checked where they arrive, goals that only an interval shows, the order of the
// rounds, those that take no part, and the processes whose cost is counted.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { createServer } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { portOf } from "../../bench/gate/network/port-of.ts";
import { askedContest, chosenOf } from "../../bench/contest/asked-contest.ts";
import { checkedAnswer } from "../../bench/contest/checked-answer.ts";
import { hasFailed } from "../../bench/contest/contest-report.ts";
import { runContest } from "../../bench/contest/contest.ts";
import type { Division, Scenario } from "../../bench/contest/division.ts";
import { judge } from "../../bench/contest/goals.ts";
import { download, upload } from "../../bench/contest/transfers.ts";
import type { Contestant } from "../../bench/contestants/contestant.ts";
import { standingOf } from "../../bench/contestants/contestant.ts";
import { direct } from "../../bench/contestants/direct.ts";
import { cpuMsOfAll, treeOf } from "../../bench/harness/process-tree.ts";
import { Program } from "../../bench/harness/program.ts";
import { startCheckingTarget } from "../../bench/targets/checking-target.ts";
import { PatternCheck, patternPiece, patternStart } from "../../bench/targets/pattern.ts";

test("the pattern is right in any pieces, and wrong where bytes are lost, doubled or changed", () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(cuts, (lengths) => {
      const whole = Buffer.concat([patternPiece, patternPiece, patternPiece]);
      const check = new PatternCheck();
      let at = 0;
      for (const length of lengths) {
        check.add(whole.subarray(at, at + length));
        at = Math.min(whole.length, at + length);
      }
      assert.ok(check.right);
      assert.equal(check.bytes, at);
    }),
  );
  const block = 65_536;
  const body = Buffer.from(patternPiece.subarray(0, 4 * block));
  const blocks = [0, 1, 2, 3].map((n) => body.subarray(n * block, (n + 1) * block));
  const orders: readonly (readonly number[])[] = [
    [0, 2],
    [0, 0, 1],
    [1, 0, 2],
    [0, 2, 1, 3],
  ];
  for (const order of orders) {
    const check = new PatternCheck();
    for (const n of order) check.add(blocks[n] ?? Buffer.alloc(0));
    assert.equal(check.right, false, order.join(" "));
  }
});

test("the checking target gives, takes, and refuses what is not the pattern", async () => {
  await using target = await startCheckingTarget();
  const place = { port: target.port, host: "x" };
  await download({ ...place, bytes: 3_000_000 });
  await upload({ ...place, bytes: 3_000_000 });
  await upload({ ...place, bytes: 1 });
  const wrong = Buffer.from(patternStart(1_000));
  wrong[999] = (wrong[999] ?? 0) ^ 1;
  const response = await fetch(`http://127.0.0.1:${target.port}/check`, { method: "POST", body: wrong });
  assert.equal(response.status, 422);
  const right = await fetch(`http://127.0.0.1:${target.port}/check`, { method: "POST", body: patternStart(1_000) });
  assert.equal(right.status, 200);
});

test("a wrong byte, another status and an early end are noticed", async () => {
  const answers = [
    `HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n${"x".repeat(100)}`,
    "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
  ];
  let answer = "";
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const place = { port: portOf(server), host: "x" };
  for (answer of answers) {
    await assert.rejects(download({ ...place, bytes: 100 }), { code: "E_GATE" });
    await assert.rejects(checkedAnswer({ ...place, path: "/", answerBytes: 100, bodyBytes: 0 }), { code: "E_GATE" });
  }
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, "close");
});

const goal = { division: "d", scenario: "s", metric: "requestsPerSecond", contestant: "a", against: "b" } as const;

function foundOf(ours: readonly number[], theirs: readonly number[]): Parameters<typeof judge>[0] {
  const figures = (values: readonly number[]): { requestsPerSecond: number }[] =>
    values.map((requestsPerSecond) => ({ requestsPerSecond }));
  return { d: { s: { a: figures(ours), b: figures(theirs) } } };
}

test("a goal holds or is missed only where the whole interval says so", () => {
  const clear = foundOf([150, 151, 149, 150], [100, 100, 100, 101]);
  const noisy = foundOf([150, 90, 200, 100], [100, 100, 100, 101]);
  assert.equal(judge(clear, { ...goal, bound: { atLeast: 1.2 } }).verdict, "holds");
  assert.equal(judge(clear, { ...goal, bound: { atLeast: 1.8 } }).verdict, "missed");
  assert.equal(judge(clear, { ...goal, bound: { atMost: 1.2 } }).verdict, "missed");
  assert.equal(judge(clear, { ...goal, bound: { atMost: 1.8 } }).verdict, "holds");
  assert.equal(judge(noisy, { ...goal, bound: { atLeast: 1.2 } }).verdict, "not shown");
  assert.equal(judge(noisy, { ...goal, bound: { atMost: 1.2 } }).verdict, "not shown");
  const one = foundOf([300], [100]);
  assert.equal(judge(one, { ...goal, bound: { atLeast: 1.2 } }).verdict, "not shown");
  assert.equal(judge(one, { ...goal, against: "nobody", bound: { atLeast: 1.2 } }).ratio, undefined);
});

test("a run fails where a goal is missed, or where nothing was measured of the one that it is a goal for", () => {
  const bounded = { ...goal, bound: { atLeast: 1.2 } };
  const fails = (ours: readonly number[], theirs: readonly number[]): boolean => {
    const found = foundOf(ours, theirs);
    return hasFailed({ found, goals: [judge(found, bounded)] });
  };
  assert.equal(fails([150, 151, 149, 150], [100, 100, 100, 101]), false);
  assert.equal(fails([50, 51, 49, 50], [100, 100, 100, 101]), true);
  assert.equal(fails([], [100, 100]), true);
  assert.equal(fails([0, 0], [100, 100]), true);
  assert.equal(hasFailed({ found: {}, goals: [judge({}, bounded)] }), true);
  // The other fell out: nothing is shown, and nothing of ours is wrong.
  assert.equal(fails([150, 150], []), false);
});

test("divisions are asked for by their titles", () => {
  const division = divisionOf([], { name: "s", rounds: 1, measure: () => Promise.resolve({}) });
  const divisions = [
    { ...division, title: "requests" },
    { ...division, title: "more requests" },
  ];
  const titles = (asked?: readonly string[]): readonly string[] => chosenOf(divisions, asked).map(({ title }) => title);
  assert.deepEqual(titles(), ["requests", "more requests"]);
  assert.deepEqual(titles(["all"]), ["requests", "more requests"]);
  assert.deepEqual(titles(["requests"]), ["requests"]);
  assert.throws(() => titles(["requests", "nothing"]), { code: "E_USAGE", message: /"nothing": there are requests/u });
});

/** A division of made-up contestants in front of the checking target. */
function divisionOf(contestants: readonly Contestant[], scenario: Scenario): Division {
  return { title: "d", contestants, startTarget: startCheckingTarget, scenarios: [scenario], metrics: [] };
}

function named(name: string, start: Contestant["start"] = direct.start): Contestant {
  return { name, missing: undefined, start };
}

test("every contestant once per round; those that fail fall out with their reason, and their processes end", async () => {
  const order: string[] = [];
  let pid = 0;
  const helpless = named("helpless", (target) =>
    standingOf(async (resources) => {
      pid = resources.own(new Program({ title: "sleeper", file: "sleep", args: ["600"] })).pid;
      await Promise.resolve();
      throw new Error(`cannot stand before ${target}`);
    }),
  );
  const weak = named("weak", async (target) => ({ ...(await direct.start(target)), host: "weak" }));
  const scenario: Scenario = {
    name: "s",
    rounds: 3,
    measure: ({ host }) => {
      order.push(host === "weak" ? "weak" : "strong");
      return host === "weak" ? Promise.reject(new Error("too weak")) : Promise.resolve({ p50Ms: 1 });
    },
  };
  const absent: Contestant = { ...named("absent"), missing: "is nowhere" };
  const divisions = [divisionOf([named("strong"), weak, helpless, absent], scenario)];
  const options = { divisions, seed: 1, onProgress: () => undefined };
  const { found, absences } = await runContest({ ...options, mayFail: new Set(["weak", "helpless"]) });
  assert.deepEqual(found, { d: { s: { strong: [{ p50Ms: 1 }, { p50Ms: 1 }, { p50Ms: 1 }], weak: [] } } });
  assert.deepEqual(order.toSorted(), ["strong", "strong", "strong", "weak"]);
  assert.deepEqual(
    absences.map(({ contestant, why }) => [contestant, why.replace(/\d+/u, "N")]),
    [
      ["helpless", "cannot stand before N"],
      ["absent", "is nowhere"],
      ["weak", "too weak"],
    ],
  );
  assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  // Whoever may not fail ends the run: by not standing, or by one wrong measurement.
  await assert.rejects(runContest({ ...options, mayFail: new Set(["weak"]) }), /cannot stand/u);
  await assert.rejects(runContest({ ...options, mayFail: new Set(["helpless"]) }), /too weak/u);
});

test("what a process starts counts as its own", { skip: process.platform !== "linux" && "needs /proc" }, async () => {
  const busy = "let n = 0; const end = Date.now() + 300; while (Date.now() < end) n += 1;";
  const script = `const { spawn } = require("node:child_process");
    spawn(process.execPath, ["-e", ${JSON.stringify(`${busy} console.log("worked"); setInterval(() => 0, 1000)`)}],
      { stdio: "inherit" });`;
  await using parent = new Program({ title: "parent", file: process.execPath, args: ["-e", script] });
  await parent.line((line) => (line === "worked" ? true : undefined));
  const tree = treeOf([parent.pid]);
  assert.equal(tree.length, 2);
  assert.ok(cpuMsOfAll(tree) > cpuMsOfAll([parent.pid]));
  for (const pid of tree) if (pid !== parent.pid) process.kill(pid, "SIGKILL");
});

test("the command line of a contest", () => {
  const plans = { standard: { rounds: 6, seconds: 2 }, quick: { rounds: 1, seconds: 1 } };
  assert.deepEqual(askedContest(plans, []), {
    plan: plans.standard,
    quick: false,
    jsonFile: undefined,
    asked: undefined,
  });
  assert.deepEqual(
    askedContest(plans, ["--quick", "--rounds", "2", "--json", "f.json", "--divisions", "TCP, first byte"]),
    {
      plan: { rounds: 2, seconds: 1 },
      quick: true,
      jsonFile: "f.json",
      asked: ["TCP", "first byte"],
    },
  );
  for (const wrong of [["--rounds", "0"], ["--rounds", "x"], ["--other"], ["stray"], ["--json"]]) {
    assert.throws(() => askedContest(plans, wrong), { code: "E_USAGE" }, wrong.join(" "));
  }
});
