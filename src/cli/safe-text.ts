// Text from elsewhere on its way to a terminal or a script: printable, on one line, and no longer than it should be.
// What is unprintable is observe/'s to say, for log lines have the same rule. Pure.

import { printable } from "../observe/safe-text.ts";

/** The longest text from elsewhere that one line carries, in bytes of UTF-8. */
export const maxTextBytes = 2048;

/** What JSON leaves as it is and a terminal may still obey: DEL and the C1 controls, separators and direction marks. */
const unsafeInJson = /[\u007f-\u009f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/gu;

/** `text` with everything unprintable written as `\xNN` or `\u{NNNN}`, cut at `maxBytes` with an ellipsis. */
export function safeText(text: string, maxBytes: number = maxTextBytes): string {
  return printable(text, maxBytes);
}

/** One line of JSON that a terminal shows harmlessly, without the line end. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replaceAll(unsafeInJson, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
