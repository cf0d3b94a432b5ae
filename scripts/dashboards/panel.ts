// One panel from a short description of it. It promises a title, a description, a unit and a refId for every query, and
// knows nothing of any metric.

import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import type { DataSourceRef } from "@grafana/grafana-foundation-sdk/common";
import {
  AxisPlacement,
  BigValueColorMode,
  BigValueGraphMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import type { Panel } from "@grafana/grafana-foundation-sdk/dashboard";
import { ThresholdsConfigBuilder, ThresholdsMode } from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";

/** One query of a panel, in PromQL with the dashboard's variables. */
export interface QuerySpec {
  readonly expr: string;
  /** What a series is called: text with `{{label}}`. */
  readonly legend: string;
  /** Show exemplars, which lead to traces. Default false. */
  readonly exemplars?: boolean;
}

/** One panel. */
export interface PanelSpec {
  readonly title: string;
  /** What it shows, what is normal, and what to do when it is not. */
  readonly description: string;
  /** Grafana's name of the unit. */
  readonly unit: string;
  readonly queries: readonly QuerySpec[];
  /** A line per series (the default), areas on top of each other, or one large number. */
  readonly as?: "lines" | "stack" | "number";
  /** Of 24 columns. Default 8, numbers 4. */
  readonly width?: number;
  /** From this value on the number is red, and a line is drawn. */
  readonly alarmAt?: number;
  /** The lowest end of the axis. Default 0; "data" for values that may be negative or far from 0. */
  readonly from?: 0 | "data";
}

/** Where every query goes: the dashboard's variable. */
export const prometheusSource: DataSourceRef = { type: "prometheus", uid: "${datasource}" };

/** The builder of a panel with this id, which must be unique in its dashboard. */
export function buildPanel(spec: PanelSpec, id: number): Builder<Panel> {
  return spec.as === "number" ? numberPanel(spec, id) : graphPanel(spec, id);
}

function graphPanel(spec: PanelSpec, id: number): TimeseriesBuilder {
  const stacked = spec.as === "stack";
  const builder = new TimeseriesBuilder()
    .id(id)
    .title(spec.title)
    .description(spec.description)
    .datasource(prometheusSource)
    .unit(spec.unit)
    .height(8)
    .span(spec.width ?? 8)
    .targets(queries(spec))
    .drawStyle(GraphDrawStyle.Line)
    .lineWidth(1)
    .fillOpacity(stacked ? 40 : 8)
    .showPoints(VisibilityMode.Never)
    .axisPlacement(AxisPlacement.Auto)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom),
    )
    // oxlint-disable-next-line unicorn/no-array-sort -- a builder's method, not an array's
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .stacking(new StackingConfigBuilder().mode(stacked ? StackingMode.Normal : StackingMode.None))
    .thresholds(thresholds(spec));
  return spec.from === "data" ? builder : builder.min(0);
}

function numberPanel(spec: PanelSpec, id: number): StatBuilder {
  return new StatBuilder()
    .id(id)
    .title(spec.title)
    .description(spec.description)
    .datasource(prometheusSource)
    .unit(spec.unit)
    .height(4)
    .span(spec.width ?? 4)
    .targets(queries(spec))
    .colorMode(spec.alarmAt === undefined ? BigValueColorMode.None : BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.Area)
    .thresholds(thresholds(spec));
}

function thresholds({ alarmAt }: PanelSpec): ThresholdsConfigBuilder {
  const calm = { value: null, color: "green" };
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps(alarmAt === undefined ? [calm] : [calm, { value: alarmAt, color: "red" }]);
}

function queries(spec: PanelSpec): Builder<Dataquery>[] {
  return spec.queries.map(({ expr, legend, exemplars }, index) =>
    new DataqueryBuilder()
      .refId(refIds.charAt(index))
      .datasource(prometheusSource)
      .expr(expr)
      .legendFormat(legend)
      .exemplar(exemplars ?? false)
      .range(),
  );
}

/** More queries make no readable panel. */
const refIds = "ABCDEFGH";
