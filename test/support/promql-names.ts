// The names of the series that a PromQL expression reads. No parser: enough for expressions that Prometheus accepts.

const words: ReadonlySet<string> = new Set(["and", "or", "unless", "bool", "offset", "inf", "nan"]);

/** Every series name in an expression, without functions, labels and keywords. */
export function seriesNames(expr: string): Set<string> {
  const bare = expr
    .replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/gu, '""')
    .replaceAll(/\{[^}]*\}/gu, " ")
    .replaceAll(/\[[^\]]*\]/gu, " ")
    .replaceAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/gu, " ");
  const names = new Set<string>();
  for (const [, name = "", call] of bare.matchAll(/(?<![\w:.$])([a-zA-Z_:][\w:]*)(\s*\()?/gu)) {
    if (call === undefined && !words.has(name.toLowerCase())) names.add(name);
  }
  return names;
}

/** The family that a series belongs to, given the families there are: histograms have three kinds of series. */
export function familyOf(name: string, families: ReadonlySet<string>): string | undefined {
  if (families.has(name)) return name;
  const family = name.replace(/_(?:bucket|sum|count)$/u, "");
  return families.has(family) ? family : undefined;
}
