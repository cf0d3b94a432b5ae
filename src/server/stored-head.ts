// Reads one field of a canonical request head long after it was parsed: for tracing and logs, never on the data path.

/** The first value of the field, or undefined. `name` lower-case; the head is one that this server composed. */
export function fieldOfHead(head: Buffer, name: string): string | undefined {
  const prefix = `${name}:`;
  const line = head
    .toString("latin1")
    .split("\r\n")
    .slice(1)
    .find((candidate) => candidate.toLowerCase().startsWith(prefix));
  return line?.slice(prefix.length).trim();
}
