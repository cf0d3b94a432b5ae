// What each byte may be in each part of a message, as tables of 256, and comparisons of bytes with lower-case names.
// Nothing here allocates after the module was loaded.

/** Horizontal tab. */
export const htab = 0x09;
/** Line feed. */
export const lf = 0x0a;
/** Carriage return. */
export const cr = 0x0d;
/** Space. */
export const space = 0x20;
/** `,` */
export const comma = 0x2c;
/** `:` */
export const colon = 0x3a;

const digits = "0123456789";
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

function mark(table: Uint8Array, characters: string, value: number): Uint8Array {
  for (const byte of Buffer.from(characters, "latin1")) table[byte] = value;
  return table;
}

/** Marks the bytes of names: 1 for a token byte (RFC 9110 section 5.6.2), 3 for `_` among them, 0 for all others. */
export const tokenClass: Uint8Array = mark(mark(new Uint8Array(256), `!#$%&'*+-.^\`|~${digits}${letters}`, 1), "_", 3);

/** Marks the bytes of field values and reason phrases: HTAB, SP, VCHAR and obs-text. All controls and DEL are 0. */
export const valueClass: Uint8Array = new Uint8Array(256).fill(1, 0x20).fill(0, 0x7f, 0x80);
valueClass[htab] = 1;

/**
 * Marks the bytes of a request target: VCHAR without `#`. More than RFC 3986 allows, because browsers send `|`, `^`,
 * `{` and others raw; a fragment is none of a server's business, and no two servers agree on what it would mean.
 */
export const targetClass: Uint8Array = mark(new Uint8Array(256).fill(1, 0x21, 0x7f), "#", 0);

/**
 * Marks the bytes of a reg-name (RFC 3986 section 3.2.2): 1 as it is, 2 for upper-case letters, 3 for `%`. No comma,
 * though it is a sub-delim: a list of hosts must never pass for a host.
 */
export const hostClass: Uint8Array = mark(
  mark(mark(new Uint8Array(256), `-._~!$&'()*+;=${digits}${letters}`, 1), letters.slice(26), 2),
  "%",
  3,
);

/** The value of a hexadecimal digit, 255 for other bytes. */
export const hexValue: Uint8Array = new Uint8Array(256).fill(255);
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16);
  mark(hexValue, digit + digit.toUpperCase(), value);
}

/** Every byte with `A` to `Z` turned into lower case. */
export const lowerCase: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte,
);

/** Whether `bytes` from `start` to `end` are `name`, whatever the case of the bytes. `name` is lower-case latin1. */
export function equalsName(bytes: Uint8Array, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false;
  for (let index = 0; index < name.length; index++) {
    if (lowerCase[bytes[start + index] ?? 0] !== name.charCodeAt(index)) return false;
  }
  return true;
}

/** Whether `bytes` from `start` on are `name`, whatever the case of the bytes; the caller has checked the length. */
export function startsWithName(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let index = 0; index < name.length; index++) {
    if (lowerCase[bytes[start + index] ?? 0] !== name[index]) return false;
  }
  return true;
}
