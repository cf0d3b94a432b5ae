// The checked-in dashboards are what the generator makes, and keep the rules that all of them share.

import assert from "node:assert/strict";
import { test } from "node:test";
import { dashboardFiles } from "../../scripts/dashboards/all.ts";
import { readPackageFile } from "../support/package-file.ts";
import { shippedDashboards } from "./shipped.ts";

test("dashboards/*.json are what the generator makes", () => {
  for (const [name, text] of dashboardFiles()) {
    assert.ok(readPackageFile(`dashboards/${name}`) === text, `dashboards/${name} is stale: npm run dashboards`);
  }
});

test("every panel has an id, a title, a description, a unit, and queries to the chosen datasource", () => {
  for (const { id, uid, editable, panels } of shippedDashboards()) {
    assert.equal(id, null);
    assert.equal(editable, false);
    assert.equal(new Set(panels.map((panel) => panel.id)).size, panels.length, `${uid}: ids are unique`);
    const shown = panels.filter(({ type }) => type !== "row");
    assert.equal(new Set(shown.map(({ title }) => title)).size, shown.length, `${uid}: titles are unique`);
    for (const { title, description = "", datasource, fieldConfig, targets = [] } of shown) {
      const where = `${uid}, ${title}`;
      assert.ok(description.length > 20 && description.endsWith("."), where);
      assert.ok(fieldConfig?.defaults.unit, where);
      assert.equal(datasource?.uid, "${datasource}", where);
      assert.deepEqual(
        targets.map(({ refId }) => refId),
        "ABCDEFGH".slice(0, targets.length).split(""),
        where,
      );
      for (const { expr = "" } of targets) {
        assert.ok(expr.includes('job=~"$job",instance=~"$instance"') || expr.includes("ALERTS"), `${where}: ${expr}`);
      }
    }
  }
});

test("dashboards have their variables, lead to each other and to traces", () => {
  const dashboards = shippedDashboards();
  const uids = dashboards.map(({ uid }) => uid);
  for (const { uid, links, templating, panels } of dashboards) {
    assert.deepEqual(
      templating.list.map(({ name, type }) => `${name} ${type}`),
      ["datasource datasource", "traces datasource", "job query", "instance query"],
    );
    const internal = links.flatMap(({ url }) => /^\/d\/([\w-]+)\?/u.exec(url)?.[1] ?? []);
    assert.deepEqual(internal.toSorted(), uids.filter((other) => other !== uid).toSorted());
    assert.ok(links.some(({ url }) => url.startsWith("/explore?") && url.includes("${traces}")));
    const latency = panels.filter(({ targets = [] }) =>
      targets.some(({ expr = "" }) =>
        /caisson_http_(?:request_duration|time_to_first_byte)_seconds_bucket/u.test(expr),
      ),
    );
    for (const { title, targets = [] } of latency) {
      assert.ok(
        targets.some(({ exemplar }) => exemplar === true),
        `${uid}, ${title}: exemplars`,
      );
    }
  }
});
