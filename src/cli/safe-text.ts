// Text from elsewhere, made safe for a terminal or a log line: nothing in it can move the cursor, change colours,
// forge a second line or reverse the direction of reading, and none is longer than it should be. Pure.

/** The longest text from elsewhere that one line carries, in bytes of UTF-8. */
export const maxTextBytes = 2048;

/** Control, format (direction marks, zero width), line and paragraph separators, lone surrogates. */
const unsafePattern = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** What JSON leaves as it is and a terminal may still obey: DEL and the C1 controls, separators and direction marks. */
const unsafeInJson = /[\u007f-\u009f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/gu;

/** `text` with everything unprintable written as `\xNN` or `\u{NNNN}`, cut at `maxBytes` with an ellipsis. */
export function safeText(text: string, maxBytes: number = maxTextBytes): string {
  // The cut comes first as well, so that a hostile megabyte is not escaped only to be thrown away.
  const escaped = text.slice(0, maxBytes + 1).replaceAll(unsafePattern, escapeCharacter);
  const bytes = Buffer.from(escaped);
  if (bytes.length <= maxBytes) return escaped;
  let end = maxBytes - 3;
  // Bytes 10xxxxxx continue a character: the cut goes before its first one.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString("utf8", 0, end)}…`;
}

/** One line of JSON that a terminal shows harmlessly, without the line end. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replaceAll(unsafeInJson, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  return code < 0x100 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`;
}
