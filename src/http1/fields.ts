// The field names that Caisson acts upon, as small integers, and how raw bytes are recognised as one of them.
// Recognition costs one table look-up for names that are not ours, and never allocates.

import { lowerCase, startsWithName } from "./bytes.ts";

/**
 * Known field names and their ids. Ids up to {@link lastFramingId} change how a message is read; heads look at them
 * while they scan. `unknown` is any other name, `caisson` any `Caisson-*`, `x-forwarded` any `X-Forwarded-*` without
 * an id of its own, `shadow` a name with `_` that programs which read `_` as `-` would take for one of the others.
 */
export const fieldIds = {
  unknown: 0,
  connection: 1,
  "transfer-encoding": 2,
  "content-length": 3,
  host: 4,
  upgrade: 5,
  expect: 6,
  "keep-alive": 7,
  "proxy-connection": 8,
  te: 9,
  trailer: 10,
  via: 11,
  forwarded: 12,
  "x-forwarded-for": 13,
  "x-forwarded-proto": 14,
  "x-forwarded-host": 15,
  "x-forwarded-port": 16,
  "x-real-ip": 17,
  traceparent: 18,
  tracestate: 19,
  baggage: 20,
  "sec-websocket-key": 21,
  "sec-websocket-accept": 22,
  "sec-websocket-version": 23,
  "sec-websocket-protocol": 24,
  "sec-websocket-extensions": 25,
  accept: 26,
  authorization: 27,
  "proxy-authorization": 28,
  cookie: 29,
  "set-cookie": 30,
  date: 31,
  location: 32,
  origin: 33,
  server: 34,
  "user-agent": 35,
  "content-type": 36,
  "content-encoding": 37,
  "content-range": 38,
  "cache-control": 39,
  "max-forwards": 40,
  "retry-after": 41,
  caisson: 42,
  "x-forwarded": 43,
  shadow: 44,
  "content-location": 45,
  refresh: 46,
} as const;

/** The highest id that the reading of a head depends upon. */
export const lastFramingId = 7;
/** The highest id, except `caisson` and `x-forwarded`, that is Caisson's own business and must not be shadowed. */
const lastOwnId = 17;

const names: string[] = Object.keys(fieldIds).map((name) =>
  /^(?:unknown|caisson|x-forwarded|shadow)$/.test(name) ? "" : name,
);
const nameBytes: Uint8Array[] = names.map((name) => Uint8Array.from(Buffer.from(name, "latin1")));
const caissonPrefix = Uint8Array.from(Buffer.from("caisson-", "latin1"));
const forwardedPrefix = Uint8Array.from(Buffer.from("x-forwarded-", "latin1"));
const longest = Math.max(...names.map((name) => name.length));

/** First id of each bucket, and the next id of the same bucket after each id. 0 ends a chain. */
const buckets = new Uint8Array(256);
const chain = new Uint8Array(names.length);
for (const [id, bytes] of nameBytes.entries()) {
  if (bytes.length === 0) continue;
  const bucket = bucketOf(bytes[0] ?? 0, bytes[bytes.length - 1] ?? 0, bytes.length);
  chain[id] = buckets[bucket] ?? 0;
  buckets[bucket] = id;
}

function bucketOf(first: number, last: number, length: number): number {
  return (first * 7 + last * 31 + length * 5) & 255;
}

/** The id of the field name at `start` to `end` of `bytes`, in any case. Does not look for shadows. */
export function fieldIdOf(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const first = lowerCase[bytes[start] ?? 0] ?? 0;
  if (length <= longest) {
    let id = buckets[bucketOf(first, lowerCase[bytes[end - 1] ?? 0] ?? 0, length)] ?? 0;
    while (id !== 0) {
      const name = nameBytes[id];
      if (name !== undefined && name.length === length && startsWithName(bytes, start, name)) return id;
      id = chain[id] ?? 0;
    }
  }
  if (first === 0x63 /* c */ && length > 8 && startsWithName(bytes, start, caissonPrefix)) return fieldIds.caisson;
  if (first === 0x78 /* x */ && length > 12 && startsWithName(bytes, start, forwardedPrefix)) {
    return fieldIds["x-forwarded"];
  }
  return fieldIds.unknown;
}

/**
 * The id of a name that contains `_`: `shadow` if it would be a framing, hop-by-hop or forwarding field once every `_`
 * is read as `-`, else `unknown`. Such names are rare, so this one may allocate.
 */
export function underscoredFieldIdOf(bytes: Uint8Array, start: number, end: number): number {
  const dashed = Uint8Array.prototype.slice.call(bytes, start, end).map((byte) => (byte === 0x5f ? 0x2d : byte));
  const id = fieldIdOf(dashed, 0, dashed.length);
  const own = (id > 0 && id <= lastOwnId) || id === fieldIds.caisson || id === fieldIds["x-forwarded"];
  return own ? fieldIds.shadow : fieldIds.unknown;
}
