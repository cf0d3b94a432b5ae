// What a Connection field says: whether the connection persists, whether an upgrade is wanted, and which other fields
// are meant for this hop alone. Never nominates a field that frames or routes the message.

import { comma, equalsName, htab, lowerCase, space, tokenClass } from "./bytes.ts";
import { fieldIds } from "./fields.ts";
import type { HeadFields } from "./head-fields.ts";

/** Bits of what {@link readConnection} found. */
export const connectionSays = { close: 1, keepAlive: 2, upgrade: 4, te: 8, malformed: 16 } as const;

/** More options than fields can be named are an attempt to make us search. */
const maxOptions = 100;

/** Reads field `index` of `head`, a Connection field, and marks the fields that it nominates. Answers bits of {@link connectionSays}. */
export function readConnection(head: HeadFields, index: number): number {
  const bytes = head.bytes;
  const end = head.valueEnd[index] ?? 0;
  let at = head.valueStart[index] ?? 0;
  let said = 0;
  for (let options = 0; at < end;) {
    const byte = bytes[at] ?? 0;
    if (byte === comma || byte === space || byte === htab) {
      at++;
      continue;
    }
    const start = at;
    while (at < end && tokenClass[bytes[at] ?? 0] !== 0) at++;
    const tokenEnd = at;
    while (at < end && (bytes[at] === space || bytes[at] === htab)) at++;
    if (tokenEnd === start || (at < end && bytes[at] !== comma) || ++options > maxOptions) {
      return said | connectionSays.malformed;
    }
    said |= readOption(head, start, tokenEnd);
  }
  return said;
}

function readOption(head: HeadFields, start: number, end: number): number {
  const bytes = head.bytes;
  switch (end - start) {
    case 2:
      if (equalsName(bytes, start, end, "te")) return connectionSays.te;
      break;
    case 5:
      if (equalsName(bytes, start, end, "close")) return connectionSays.close;
      break;
    case 7:
      if (equalsName(bytes, start, end, "upgrade")) return connectionSays.upgrade;
      break;
    case 10:
      if (equalsName(bytes, start, end, "keep-alive")) return connectionSays.keepAlive;
      break;
    default:
  }
  nominate(head, start, end);
  return 0;
}

function nominate(head: HeadFields, start: number, end: number): void {
  const bytes = head.bytes;
  const length = end - start;
  for (let field = 0; field < head.fieldCount; field++) {
    const nameStart = head.nameStart[field] ?? 0;
    if ((head.nameEnd[field] ?? 0) - nameStart !== length || mayNotBeNominated(head.fieldId[field] ?? 0)) continue;
    let index = 0;
    while (index < length && lowerCase[bytes[nameStart + index] ?? 0] === lowerCase[bytes[start + index] ?? 0]) index++;
    if (index === length) head.nominated[field] = 1;
  }
}

/** Removing these would change where the message goes, where it ends, or whether its sender waits for us. */
function mayNotBeNominated(id: number): boolean {
  return id === fieldIds.host || id === fieldIds["content-length"] || id === fieldIds.expect;
}
