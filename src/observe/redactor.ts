// Takes secrets out of texts and values before they leave the process, in logs and reports: those that it was told of,
// wherever they stand, and whatever looks like one. It never changes what it is given; it answers a copy.

import { messageOf } from "../lifecycle/errors.ts";
import { isSecretName, redacted, withoutSecrets } from "./secret-patterns.ts";

/** Shorter ones are not looked for: they would be found everywhere. */
const minKnownLength = 6;
const maxKnown = 256;
/** Values are followed so deep and so wide; what lies beyond is left out. */
const maxDepth = 8;
const maxEntries = 50_000;

/** Options of {@link Redactor}. */
export interface RedactorOptions {
  /** Secrets of this process, such as the admin token. More can be told later. */
  readonly secrets?: readonly string[];
}

/** Removes secrets. One per role; whoever reads a secret from a file tells it. */
export class Redactor {
  readonly #known = new Set<string>();

  constructor(options: RedactorOptions = {}) {
    for (const secret of options.secrets ?? []) this.know(secret);
  }

  /** Remembers a secret, so that it is removed wherever it stands. At most 256; ones of fewer than 6 characters are ignored. */
  know(secret: string): void {
    const trimmed = secret.trim();
    if (trimmed.length >= minKnownLength && this.#known.size < maxKnown) this.#known.add(trimmed);
  }

  /** How many secrets it was told of. */
  get size(): number {
    return this.#known.size;
  }

  /** A text without secrets. */
  text(text: string): string {
    let clean = text;
    for (const secret of this.#known) clean = clean.replaceAll(secret, redacted);
    return withoutSecrets(clean);
  }

  /** Any value as plain JSON data without secrets: those of fields with telling names go whole, texts are searched. */
  value(value: unknown): unknown {
    return this.#copy(value, { depth: 0, left: { entries: maxEntries } });
  }

  #copy(value: unknown, at: Position): unknown {
    switch (typeof value) {
      case "string":
        return this.text(value);
      case "number":
      case "boolean":
        return value;
      case "bigint":
        return String(value);
      case "object":
        return value === null ? null : this.#copyObject(value, at);
      default:
        return undefined;
    }
  }

  #copyObject(value: object, at: Position): unknown {
    if (value instanceof Error) return this.text(messageOf(value));
    if (value instanceof Date) return value.toJSON();
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (at.depth >= maxDepth || at.left.entries <= 0) return "[left out]";
    const below = { depth: at.depth + 1, left: at.left };
    if (Array.isArray(value)) return this.#copyList(value, below);
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    const copy: [string, unknown][] = [];
    for (const [key, entry] of entries) {
      if ((at.left.entries -= 1) < 0) break;
      const name = String(key);
      copy.push([this.text(name), isSecretName(name) ? hidden(entry) : this.#copy(entry, below)]);
    }
    return Object.fromEntries(copy);
  }

  #copyList(list: readonly unknown[], at: Position): unknown[] {
    const copy: unknown[] = [];
    let named = false;
    for (const entry of list) {
      if ((at.left.entries -= 1) < 0) break;
      // Raw header lists alternate names and values.
      copy.push(named ? hidden(entry) : this.#copy(entry, at));
      named = typeof entry === "string" && entry.length < 64 && isSecretName(entry);
    }
    return copy;
  }
}

interface Position {
  readonly depth: number;
  readonly left: { entries: number };
}

/** Counts and switches under a telling name are no secrets; everything else is. */
function hidden(value: unknown): unknown {
  return value === null || typeof value === "number" || typeof value === "boolean" ? value : redacted;
}
