// What: writes the Grafana dashboards into dashboards/*.json. When: after a change to scripts/dashboards; the files are
// checked in, and a test fails when they are stale. Example: npm run dashboards

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dashboardFiles } from "./all.ts";

for (const [name, text] of dashboardFiles()) {
  const path = join("dashboards", name);
  writeFileSync(path, text);
  process.stdout.write(`${path}\n`);
}
