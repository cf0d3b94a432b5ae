// The two text formats in which metrics leave. OpenMetrics is what is rendered; Prometheus' older text format is derived
// from it here, because rendering both from one registry loses the `_total` of counters. Pure.

/** A format that a scraper may ask for. */
export type ExpositionFormat = "openmetrics" | "text";

/** The exact Content-Type of each format; Prometheus 3 refuses a scrape without one. */
export const expositionTypes: Readonly<Record<ExpositionFormat, string>> = {
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  text: "text/plain; version=0.0.4; charset=utf-8",
};

/**
 * What an Accept field asks for: the format with the higher weight, OpenMetrics at a tie. Without a field, or with one
 * that names neither, the older text, which everything understands.
 */
export function negotiateFormat(accept: string | undefined): ExpositionFormat {
  const openmetrics = weightOf(accept, "application/openmetrics-text");
  return openmetrics > 0 && openmetrics >= weightOf(accept, "text/plain") ? "openmetrics" : "text";
}

function weightOf(accept: string | undefined, type: string): number {
  let highest = 0;
  for (const range of (accept ?? "").slice(0, 2_048).split(",")) {
    const [name = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    if (name !== type) continue;
    const quality = parameters.find((parameter) => parameter.startsWith("q="));
    const weight = quality === undefined ? 1 : Number(quality.slice(2));
    if (weight <= 1) highest = Math.max(highest, weight);
  }
  return highest;
}

/** OpenMetrics as Prometheus' text format 0.0.4: counter families get their `_total`, exemplars and the end mark go. */
export function textFromOpenMetrics(openMetrics: string): string {
  const counters = new Set<string>();
  for (const match of openMetrics.matchAll(/^# TYPE (\S+) counter$/gmu)) counters.add(match[1] ?? "");
  return openMetrics
    .replaceAll(/^# (HELP|TYPE) (\S+)/gmu, (line: string, word: string, name: string) =>
      counters.has(name) ? `# ${word} ${name}_total` : line,
    )
    .replaceAll(/^([a-zA-Z_:][^\n]*? \S+) # \{[^\n]*$/gmu, "$1")
    .replace(/# EOF\n$/u, "");
}

/** A bucket's bound as the value of `le`: integers get a fraction, so that it is the same text in both formats. */
export function boundText(bound: number | undefined): string {
  if (bound === undefined) return "+Inf";
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}
