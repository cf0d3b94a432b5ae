// `caisson gate --attach` as a user runs it: red on the sample that leaks, green on the other, and where the run itself fails it
// says why. Every report that was asked for is written, and none holds what opens the inspector.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { exitCodes } from "../../../src/cli/exit-codes.ts";
import { startCaisson } from "../../support/run.ts";
import { until } from "../../support/until.ts";

const sample = (file: string): string => fileURLToPath(new URL(`../../../bench/samples/${file}.js`, import.meta.url));
const few: readonly string[] = ["--clients", "80", "--rounds", "8", "--patience", "60", "--rest", "1s"];

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "caisson-attached-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A server that knows nothing of Caisson, and where its inspector and its visitors are. */
async function startSample(which: "leaky" | "fixed" = "fixed"): Promise<{
  readonly server: ReturnType<typeof startCaisson>;
  readonly inspector: string;
  readonly url: string;
}> {
  const server = startCaisson([], { script: sample(which), nodeFlags: ["--inspect=127.0.0.1:0"] });
  const [, url = ""] = (await server.line(/^listening on /)).split(" on ");
  const [inspector = ""] = /ws:\/\/\S+/.exec(await server.complaint(/ws:\/\/\S+\n/)) ?? [];
  return { server, inspector, url };
}

const reportFiles = ["report.json", "junit.xml", "page.html", "summary.md"] as const;

/** The gate, attached; its reports are in the folder. */
function startGate(inspector: string, driver: string, url: string): ReturnType<typeof startCaisson> {
  const flags = ["--report-json", "--junit", "--html", "--markdown"];
  const reports = flags.flatMap((flag, at) => [flag, join(folder, reportFiles[at] ?? "")]);
  const args = ["gate", "--attach", inspector, "--driver", driver, ...few, ...reports];
  return startCaisson(args, { env: { SAMPLE_URL: url } });
}

interface Report {
  readonly outcome: string;
  readonly failure: string;
  readonly samples: readonly unknown[];
}

/** What the JSON report says; the JUnit report must say that the run failed as well. */
function failedReport(said: string): Report {
  assert.ok(existsSync(join(folder, "report.json")), said);
  assert.match(readFileSync(join(folder, "junit.xml"), "utf8"), /<error type="failed"/);
  const report = JSON.parse(readFileSync(join(folder, "report.json"), "utf8")) as Report;
  assert.equal(report.outcome, "failed");
  return report;
}

for (const [which, expected] of [
  ["leaky", exitCodes.leak],
  ["fixed", exitCodes.done],
] as const) {
  test(`the ${which} sample ends with ${expected}`, async () => {
    const { server, inspector, url } = await startSample(which);
    await using _server = server;
    await using running = startGate(inspector, sample("driver"), url);
    const { code } = await running.exited;
    const said = `${running.lines.join("\n")}\n${running.stderr}`;
    assert.equal(code, expected, said);
    if (which === "leaky") assert.match(said, /^leak: .*container TunnelProxy\.connections/m);
    const secret = new URL(inspector).pathname.slice(1);
    assert.ok(secret.length > 20, inspector);
    for (const file of reportFiles) {
      const text = readFileSync(join(folder, file), "utf8");
      assert.ok(text.length > 0 && !text.includes(secret), `${file} holds the inspector's address`);
    }
    assert.ok(!said.includes(secret), said);
  });
}

test("a driver that keeps its clients itself, as a CommonJS module", async () => {
  const driver = join(folder, "driver.cjs");
  writeFileSync(
    driver,
    `let open = 0;
     module.exports = {
       connect: async () => { open += 1; },
       disconnect: async () => { open -= 1; },
       async use() {
         if (open > 16) throw new Error(open + " are open: nobody disconnected them");
       },
     };`,
  );
  const { server, inspector, url } = await startSample();
  await using _server = server;
  await using running = startGate(inspector, driver, url);
  const { code } = await running.exited;
  assert.equal(code, exitCodes.done, `${running.lines.join("\n")}\n${running.stderr}`);
});

test("a report that cannot be written is told before the run", async () => {
  const args = [
    "--attach",
    "127.0.0.1:1",
    "--driver",
    sample("driver"),
    "--junit",
    join(folder, "nowhere", "junit.xml"),
  ];
  await using running = startCaisson(["gate", ...args]);
  const { code } = await running.exited;
  assert.equal(code, exitCodes.config, running.stderr);
  assert.match(running.stderr, /cannot write .*nowhere/);
  assert.deepEqual(running.lines, []);
});

test("a driver whose client fails fails the run", async () => {
  const driver = join(folder, "driver.mjs");
  writeFileSync(
    driver,
    `export const connect = async (number) => {
       if (number === 35) throw new Error("client 35 got another answer");
       return number;
     };
     export const disconnect = async () => {};`,
  );
  const { server, inspector, url } = await startSample();
  await using _server = server;
  await using running = startGate(inspector, driver, url);
  const { code } = await running.exited;
  const said = `${running.lines.join("\n")}\n${running.stderr}`;
  assert.equal(code, exitCodes.failed, said);
  assert.match(said, /^failed: .*connect of client 35: client 35 got another answer/m);
  const { failure, samples } = failedReport(said);
  assert.match(failure, /client 35 got another answer/);
  // Ten clients in each round.
  assert.equal(samples.length, 3);
});

test("a server that ends fails the run", async () => {
  const { server, inspector, url } = await startSample();
  await using _server = server;
  await using running = startGate(inspector, sample("driver"), url);
  await until(() => running.stderr.includes("round 5/"), { what: "two rounds are measured", timeoutMs: 120_000 });
  server.kill("SIGKILL");
  const { code } = await running.exited;
  assert.equal(code, exitCodes.failed, running.stderr);
  assert.ok(failedReport(running.stderr).samples.length >= 5);
});

test("where no inspector answers, the reports say so", async () => {
  await using running = startGate("127.0.0.1:1", sample("driver"), "http://127.0.0.1:1");
  const { code } = await running.exited;
  assert.equal(code, exitCodes.failed, running.stderr);
  const { failure, samples } = failedReport(running.stderr);
  assert.match(failure, /no inspector answers at 127\.0\.0\.1:1/);
  assert.deepEqual(samples, []);
});
