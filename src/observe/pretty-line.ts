// A JSON log line as people read it: time, level, sentence, then the facts as name=value. Pure.

/** The same line for people, without its end. What is no JSON object is given back as it is. */
export function prettyLine(json: string): string {
  const parsed = parse(json);
  if (parsed === undefined) return json;
  const { time, level, msg, ...facts } = parsed;
  const head = [clockOf(time), textOf(level).toUpperCase().padEnd(5), textOf(msg)].filter((part) => part !== "");
  const tail = Object.entries(facts).map(([name, fact]) => `${name}=${factText(fact)}`);
  return [...head, ...tail].join(" ");
}

function parse(json: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}

/** The time of day in UTC; the date is the journal's business. */
function clockOf(time: unknown): string {
  return typeof time === "string" ? time.slice(11, 23) : "";
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function factText(fact: unknown): string {
  const text = typeof fact === "string" ? fact : JSON.stringify(fact);
  return /^[^\s"=]+$/u.test(text) ? text : JSON.stringify(text);
}
