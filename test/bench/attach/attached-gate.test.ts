// `caisson gate --attach` whose run itself fails: it ends with 1, says why, and writes every report that was asked for.

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
const few: readonly string[] = ["--clients", "80", "--rounds", "8"];

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "caisson-attached-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A server that knows nothing of Caisson, and where its inspector and its visitors are. */
async function startSample(): Promise<{
  readonly server: ReturnType<typeof startCaisson>;
  readonly inspector: string;
  readonly url: string;
}> {
  const server = startCaisson([], { script: sample("fixed"), nodeFlags: ["--inspect=127.0.0.1:0"] });
  const [, url = ""] = (await server.line(/^listening on /)).split(" on ");
  const [inspector = ""] = /ws:\/\/\S+/.exec(await server.complaint(/ws:\/\/\S+\n/)) ?? [];
  return { server, inspector, url };
}

/** The gate, attached; its reports are in the folder. */
function startGate(inspector: string, driver: string, url: string): ReturnType<typeof startCaisson> {
  const reports = ["--report-json", join(folder, "report.json"), "--junit", join(folder, "junit.xml")];
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
  assert.match(said, /^failed: .*client 35 got another answer/m);
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
