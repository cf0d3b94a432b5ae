// The files of dashboards/ as tests read them: panels with their queries, rules with their expressions, and both again
// with every window cut to five seconds, for a Prometheus that only lives for a minute.

import { parse } from "yaml";
import { dashboardFiles } from "../../scripts/dashboards/all.ts";
import { readPackageFile } from "../support/package-file.ts";

/** One query of a panel. */
export interface PanelQuery {
  readonly dashboard: string;
  readonly panel: string;
  readonly expr: string;
}

/** A panel in the JSON model, as far as tests look at it. */
export interface ShippedPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid?: string };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly refId?: string; readonly expr?: string; readonly exemplar?: boolean }[];
}

/** A dashboard in the JSON model, as far as tests look at it. */
export interface ShippedDashboard {
  readonly id: number | null;
  readonly uid: string;
  readonly title: string;
  readonly editable: boolean;
  readonly panels: readonly ShippedPanel[];
  readonly links: readonly { readonly title: string; readonly url: string }[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[];
  };
}

/** One rule of rules.yml. */
export interface ShippedRule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Every dashboard, as it is checked in. */
export function shippedDashboards(): ShippedDashboard[] {
  return [...dashboardFiles().keys()].map(
    (name) => JSON.parse(readPackageFile(`dashboards/${name}`)) as ShippedDashboard,
  );
}

/** Every query of a dashboard. */
export function queriesOf({ uid, panels }: ShippedDashboard): PanelQuery[] {
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr = "" }) => ({ dashboard: uid, panel: title, expr })),
  );
}

/** Every rule of rules.yml. */
export function shippedRules(): ShippedRule[] {
  const { groups } = parse(readPackageFile("dashboards/rules.yml")) as { groups: { rules: ShippedRule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/** Text of a configuration or a rule with every duration below a day cut to five seconds. */
export function inFiveSeconds(text: string): string {
  return (
    text
      .replaceAll(/\[\d+[smh]\]/gu, "[5s]")
      // What differs from a while ago must do so for longer than its alert waits.
      .replaceAll(/\boffset \d+[smh]\b/gu, "offset 12s")
      .replaceAll(/\b(for|keep_firing_for): \d+[smh]\b/gu, "$1: 5s")
      // The window of six hours as a number, to tell growth from a slope.
      .replaceAll("* 21600", "* 5")
  );
}
