// The names and ports that a token's scope may list: exact names, names with one star, ports and ranges of ports.
// Pure.

/** From `from` to `to`, both included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

const exactForm = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/u;
const wildcardForm = /^[a-z0-9-]{0,62}\*[a-z0-9-]{0,62}$/u;
const portForm = /^(\d{1,5})(?:-(\d{1,5}))?$/u;

/** Stands for every name, random ones included. */
export const anyName = "*";

/** What a pattern is: `shop` is exact; `*`, `ci-*` and `*-preview` have one star. Undefined for anything else. */
export function patternKind(pattern: string): "exact" | "wildcard" | undefined {
  if (pattern.startsWith("xn--")) return undefined;
  if (exactForm.test(pattern)) return "exact";
  return wildcardForm.test(pattern) && !pattern.startsWith("-") && !pattern.endsWith("-") ? "wildcard" : undefined;
}

/** Whether a wildcard stands for a name. The star may stand for nothing. */
export function matchesWildcard(pattern: string, name: string): boolean {
  const star = pattern.indexOf("*");
  const [head, tail] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return name.length >= head.length + tail.length && name.startsWith(head) && name.endsWith(tail);
}

/** Reads `2222` or `2200-2299`. Undefined for anything else. */
export function parsePortRange(text: string): PortRange | undefined {
  const [, first, last] = portForm.exec(text) ?? [];
  if (first === undefined) return undefined;
  const range = { from: Number(first), to: Number(last ?? first) };
  return range.from >= 1 && range.to <= 65_535 && range.from <= range.to ? range : undefined;
}

/** A range as {@link parsePortRange} reads it. */
export function formatPortRange({ from, to }: PortRange): string {
  return from === to ? String(from) : `${from}-${to}`;
}
