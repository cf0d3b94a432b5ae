// What operators install as it is: the systemd units are hardened and well formed, and the image does not run as root.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { findProgram, needs } from "../support/debian.ts";

/** The repository: tests run in dist/test/scripts. */
const root = new URL("../../../", import.meta.url);
const units = ["caisson-server.service", "caisson-client@.service"] as const;

/** Above this, systemd calls a service worse than "OK". */
const maxExposure = 2;

function pathOf(unit: string): string {
  return fileURLToPath(new URL(`scripts/systemd/${unit}`, root));
}

for (const unit of units) {
  test(`${unit} is exposed below ${maxExposure}.0`, { ...needs("systemd-analyze") }, () => {
    const analyze = findProgram("systemd-analyze") ?? "";
    const judged = spawnSync(analyze, ["security", "--offline=true", "--no-pager", pathOf(unit)], { encoding: "utf8" });
    const level = /Overall exposure level for \S+: ([\d.]+)/u.exec(judged.stdout)?.[1];
    assert.ok(level !== undefined && Number(level) < maxExposure, `${level}\n${judged.stdout}${judged.stderr}`);
  });

  test(`${unit} has no line that systemd does not know`, { ...needs("systemd-analyze") }, () => {
    const checked = spawnSync(findProgram("systemd-analyze") ?? "", ["verify", pathOf(unit)], { encoding: "utf8" });
    const complaints = checked.stderr.split("\n").filter((line) => line !== "" && !line.includes("is not executable"));
    assert.deepEqual(complaints, []);
  });
}

test("the image runs as a numeric user that is not root, and copies only what there is", () => {
  const stages = readFileSync(new URL("Dockerfile", root), "utf8").split(/^FROM /mu);
  const last = stages.at(-1) ?? "";
  const user = /^USER (\d+):(\d+)$/mu.exec(last);
  assert.ok(user && Number(user[1]) > 0 && Number(user[2]) > 0);
  assert.match(last, /^ENTRYPOINT \["node", "\/app\/dist\/src\/cli\/main\.js"\]$/mu);
  assert.ok(!/^(?:ENV|ARG) .*(?:TOKEN|SECRET|PASSWORD)/mu.test(stages.join("")));
});
