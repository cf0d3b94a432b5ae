// Names in reports come from the process that was measured: they are made harmless for a terminal, for markup and for Markdown.

/** Controls, marks that turn the direction of text, halves of surrogate pairs, and what no XML document may hold. */
const controls = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufffe\uffff]/gu;
const markup: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** One line for a terminal: no control characters and none that turn the direction of text. */
export function plain(text: string): string {
  return text.replaceAll(controls, "\ufffd");
}

/** Text or an attribute's value in XML 1.0 or HTML. */
export function escapeMarkup(text: string): string {
  return plain(text).replaceAll(/[&<>"']/g, (character) => markup[character] ?? character);
}

/** Text in a Markdown paragraph or table cell. */
export function escapeMarkdown(text: string): string {
  return plain(text)
    .replaceAll(/[&<>]/g, (character) => markup[character] ?? character)
    .replaceAll(/[\\`*_[\]|~#@]/g, "\\$&");
}
