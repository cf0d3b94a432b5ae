// Reads one field of a canonical request head long after it was parsed: for tracing and logs, never on the data path.

/** The first value of the field, or undefined. `name` lower-case; the head is one that this server composed. */
export function fieldOfHead(head: Buffer, name: string): string | undefined {
  return valuesOf(head, name)[0];
}

/** All values of the field, joined by commas, or undefined. `name` lower-case. */
export function fieldListOfHead(head: Buffer, name: string): string | undefined {
  const values = valuesOf(head, name);
  return values.length === 0 ? undefined : values.join(",");
}

function valuesOf(head: Buffer, name: string): string[] {
  const prefix = `${name}:`;
  const lines = head.toString("latin1").split("\r\n").slice(1);
  return lines.filter((line) => line.toLowerCase().startsWith(prefix)).map((line) => line.slice(prefix.length).trim());
}
