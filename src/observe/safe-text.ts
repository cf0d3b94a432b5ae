// Text from elsewhere, made safe for a log line: nothing in it can move a cursor, forge a second line or reverse the
// direction of reading, and none is longer than it should be. Pure.

/** The longest text from elsewhere that one field of a line carries, in bytes of UTF-8. */
export const maxFieldBytes = 512;

/** Control, format (direction marks, zero width), line and paragraph separators, lone surrogates. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const everyUnsafe = new RegExp(unsafe, "gu");
/** One unit of UTF-16 takes at most so many bytes of UTF-8. */
const mostBytesPerUnit = 3;
const ellipsis = "…";

/** `text` with everything unprintable written as `\xNN` or `\u{NNNN}`, cut at `maxBytes` with an ellipsis. */
export function printable(text: string, maxBytes: number = maxFieldBytes): string {
  // Nearly every text is short and harmless, and there is one per request.
  if (text.length * mostBytesPerUnit <= maxBytes && !unsafe.test(text)) return text;
  // The cut comes first as well, so that a hostile megabyte is not escaped only to be thrown away.
  const escaped = text.slice(0, maxBytes + 1).replaceAll(everyUnsafe, escapeCharacter);
  return cutBytes(escaped, maxBytes);
}

/** `text`, or as much of its beginning as fits into `maxBytes` of UTF-8 with an ellipsis behind it. */
export function cutBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes - Buffer.byteLength(ellipsis);
  // Bytes 10xxxxxx continue a character: the cut goes before its first one.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString("utf8", 0, end)}${ellipsis}`;
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  return code < 0x100 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`;
}
