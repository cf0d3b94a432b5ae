// The archive for a bug report: a tar that others can read, all parts of a role, and none of 1,000 planted secrets.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { collectDiag } from "../../src/admin/diag.ts";
import { tarOf } from "../../src/admin/tar.ts";
import { Log } from "../../src/observe/log.ts";
import { Redactor } from "../../src/observe/redactor.ts";
import { canaries } from "../support/canaries.ts";
import { startAdmin, token, tunnelRow } from "./rig.ts";

async function unpacked(t: Parameters<typeof startAdmin>[0], archive: Buffer): Promise<Map<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), "caisson-diag-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "a.tar.gz"), archive);
  const result = spawnSync("tar", ["-xzf", "a.tar.gz"], { cwd: folder, encoding: "utf8" });
  assert.equal(result.stderr, "");
  const top = (await readdir(folder)).find((name) => name !== "a.tar.gz") ?? "";
  const files = new Map<string, string>();
  for (const name of await readdir(join(folder, top))) files.set(name, await readFile(join(folder, top, name), "utf8"));
  return files;
}

test("the archive holds every part, and says what is missing and why", async (t) => {
  const log = new Log({ format: "json", redactor: new Redactor(), write: () => undefined });
  log.line("info", "tunnel opened", { name: "demo", trace_id: "4bf92f3577b34da6a3ce929d0e0e4736" });
  const { ask } = await startAdmin(t, { extend: (role) => Object.assign(role, { log }) });
  const now = new Date("2026-11-22T19:05:00.123Z");
  const archive = await collectDiag({ ask, redactor: new Redactor(), now, facts: { caisson: "0.1.0" } });
  assert.equal(archive.name, "caisson-diag-20261122T190500Z.tar.gz");
  const files = await unpacked(t, archive.bytes);
  assert.deepEqual([...files.keys()].toSorted(), [
    "diag.json",
    "live.txt",
    "log.jsonl",
    "metrics.txt",
    "process.json",
    "ready.txt",
    "resources.json",
    "tunnels.json",
  ]);
  assert.match(files.get("log.jsonl") ?? "", /"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"/u);
  assert.match(files.get("tunnels.json") ?? "", /"name": "demo"/u);
  assert.match(files.get("metrics.txt") ?? "", /^caisson_build_info\{version="0\.1\.0",node="v/mu);
  assert.match(
    files.get("diag.json") ?? "",
    /"file": "snapshots.json",\s+"problem": "501: [^"]+takes no heap snapshots/u,
  );
  assert.match(files.get("diag.json") ?? "", /"caisson": "0\.1\.0"/u);
});

test("1,000 planted secrets, and the admin token, are not in it", async (t) => {
  const planted = canaries(1_000);
  const known = "a known secret, in plain words";
  // A log without a redactor of its own, as if that one had failed.
  const lines: string[] = [];
  const log = { level: "info" as const, tail: { lines: () => lines } };
  const { ask, role } = await startAdmin(t, {
    extend: (subject) =>
      Object.assign(subject, {
        log,
        leaks: () => ({ json: planted.map(({ value }) => value), text: planted.map(({ text }) => text).join("\n") }),
        resources: () => ({ probes: {}, found: planted.map(({ value, text }) => ({ value, text })) }),
      }),
  });
  for (const [number, { text, value }] of planted.entries()) {
    lines.push(
      JSON.stringify({ level: "info", msg: text, fact: value, known }),
      `${text.replaceAll(/[\r\n]+/gu, " ")} ${token}`,
    );
    role.rows.push({ ...tunnelRow(`t${number}`), target: text });
    process.env[`CAISSON_CANARY_${number}`] = text;
  }
  t.after(async () => {
    for (const name of Object.keys(process.env)) if (name.startsWith("CAISSON_CANARY_")) delete process.env[name];
    await Promise.resolve();
  });
  const redactor = new Redactor({ secrets: [token, known] });
  const archive = await collectDiag({ ask, redactor, facts: { argv: planted.map(({ text }) => text) } });
  assert.deepEqual(
    archive.parts.filter(({ problem }) => problem !== undefined).map(({ file }) => file),
    ["snapshots.json"],
  );
  const everything = gunzipSync(archive.bytes).toString("utf8");
  assert.ok(everything.length > 100_000);
  for (const { secret, text } of planted) {
    assert.ok(!everything.includes(secret), `${secret} of ${text}`);
    assert.ok(!everything.includes(JSON.stringify(secret).slice(1, -1)), text);
  }
  for (const secret of [token, known]) assert.ok(!everything.includes(secret), secret);
});

test("a role that does not answer gives an archive that says so", async () => {
  const archive = await collectDiag({ ask: () => Promise.reject(new Error("gone")), redactor: new Redactor() });
  assert.ok(archive.parts.every(({ problem }) => problem === "gone"));
  assert.ok(gunzipSync(archive.bytes).includes("diag.json"));
});

test("a tar is read by tar, whatever the sizes of its files", async (t) => {
  const sizes = [0, 1, 511, 512, 513, 70_000];
  const files = sizes.map((size) => ({ name: `d/f${size}`, bytes: Buffer.alloc(size, "x") }));
  const folder = await mkdtemp(join(tmpdir(), "caisson-tar-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "a.tar"), tarOf(files, new Date()));
  const listed = spawnSync("tar", ["-tvf", join(folder, "a.tar")], { encoding: "utf8" });
  assert.equal(listed.stderr, "");
  for (const size of sizes) assert.match(listed.stdout, new RegExp(`^-rw------- 0/0 +${size} .* d/f${size}$`, "mu"));
});
