// Every dashboard of ours as the text of its file. Pure; write.ts puts them where they belong.

import { client } from "./client.ts";
import type { DashboardSpec } from "./dashboard.ts";
import { buildDashboard } from "./dashboard.ts";
import { leaks } from "./leaks.ts";
import { overview } from "./overview.ts";
import { sessions } from "./sessions.ts";

const specs: readonly DashboardSpec[] = [overview, leaks, sessions, client];

/** The text of each file in dashboards/, by its name. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  return new Map(specs.map((spec) => [`${spec.uid}.json`, `${JSON.stringify(buildDashboard(spec), undefined, 2)}\n`]));
}
