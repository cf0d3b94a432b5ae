// The rules are accepted by promtool, hold under their real durations, and each alert says what to do.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { parse } from "yaml";
import { findProgram, needs } from "../support/debian.ts";
import { packagePath, readPackageFile } from "../support/package-file.ts";
import { shippedRules } from "./shipped.ts";

/** rules.test.yml, as far as this looks at it. */
interface RuleTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts?: readonly unknown[] }[];
  }[];
}

function promtool(...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(findProgram("promtool") ?? "", args, { encoding: "utf8" });
  assert.equal(status, 0, `promtool ${args.join(" ")}\n${stdout}${stderr}`);
}

test("promtool accepts prometheus.yml and rules.yml", needs("promtool"), () => {
  promtool("check", "config", packagePath("dashboards/prometheus.yml"));
  promtool("check", "rules", packagePath("dashboards/rules.yml"));
});

test("every alert fires and stays silent under its real durations", needs("promtool"), () => {
  promtool("test", "rules", packagePath("dashboards/rules.test.yml"));
});

test("every alert has a severity, a summary, a runbook section and a test", () => {
  const runbook = readPackageFile("docs/runbook.md");
  const { tests } = parse(readPackageFile("dashboards/rules.test.yml")) as RuleTests;
  const expectations = tests.flatMap(({ alert_rule_test: expected }) => expected);
  const alerts = shippedRules().filter(({ alert }) => alert !== undefined);
  assert.ok(alerts.length > 0);
  for (const { alert = "", labels, annotations } of alerts) {
    assert.match(labels?.["severity"] ?? "", /^(?:warning|critical)$/u, alert);
    assert.ok(annotations?.["summary"]?.includes("{{ $labels.instance }}"), `${alert}: the summary names the instance`);
    const [page, anchor = ""] = (annotations?.["runbook_url"] ?? "").split("#");
    assert.equal(page, "docs/runbook.md", alert);
    const headings = [...runbook.matchAll(/^## (.+)$/gmu)].map(([, heading = ""]) => heading.toLowerCase());
    assert.ok(headings.includes(anchor), `docs/runbook.md has no section ## ${alert}`);
    const own = expectations.filter(({ alertname }) => alertname === alert);
    const fires = new Set(own.map(({ exp_alerts: fired = [] }) => fired.length > 0));
    assert.ok(fires.has(true) && fires.has(false), `${alert} is tested on and off in rules.test.yml`);
  }
});
