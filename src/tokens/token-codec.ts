// The tokens file as text: JSON with a version, checked entry by entry, so that a file that was cut short or edited badly
// is refused as a whole. It holds digests, never tokens. Pure.

import { CaissonError, messageOf } from "../lifecycle/errors.ts";
import type { PortRange } from "./name-pattern.ts";
import { formatPortRange, parsePortRange, patternKind } from "./name-pattern.ts";
import type { TokenEntry } from "./token-table.ts";
import { idOf } from "./token-text.ts";

/** The version of the form that is written; others are refused. */
const formVersion = 1;
/** How many tokens one file may hold. */
export const maxTokens = 10_000;
/** How many patterns or port ranges one token may list. */
export const maxListed = 100;
const maxLabelLength = 100;

type Fields = Readonly<Record<string, unknown>>;

/** The file's text. */
export function encodeTokens(entries: readonly TokenEntry[]): string {
  const tokens = entries.map(({ id, label, digest, createdMs, expiresMs, names, ports, maxTunnels }) => ({
    id,
    label,
    sha256: digest.toString("hex"),
    created: new Date(createdMs).toISOString(),
    ...(expiresMs === undefined ? {} : { expires: new Date(expiresMs).toISOString() }),
    names,
    ports: ports.map(formatPortRange),
    ...(maxTunnels === undefined ? {} : { maxTunnels }),
  }));
  return `${JSON.stringify({ version: formVersion, tokens }, undefined, 2)}\n`;
}

/** The entries in a file's text. Throws E_CONFIG for anything that is not whole and right; nothing of it is guessed. */
export function decodeTokens(text: string): TokenEntry[] {
  const root = asFields(parse(text), "it");
  if (root["version"] !== formVersion) throw wrong(`its version is not ${formVersion}`);
  const { tokens } = root;
  if (!Array.isArray(tokens) || tokens.length > maxTokens) {
    throw wrong(`"tokens" must be a list of at most ${maxTokens}`);
  }
  const entries = tokens.map((value: unknown, at) => readEntry(asFields(value, `token ${at + 1}`), `token ${at + 1}`));
  const ids = new Set(entries.map(({ id }) => id));
  if (ids.size < entries.length) throw wrong("two of its tokens have the same id");
  return entries;
}

/** Whether a label is fit for tables and logs: printable, and not long. */
export function isLabel(text: string): boolean {
  return text.length <= maxLabelLength && !/[\p{C}\p{Zl}\p{Zp}]/u.test(text);
}

function readEntry(fields: Fields, what: string): TokenEntry {
  const sha256 = fields["sha256"];
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/u.test(sha256)) throw wrong(`the sha256 of ${what} is none`);
  const digest = Buffer.from(sha256, "hex");
  if (fields["id"] !== idOf(digest)) throw wrong(`the id of ${what} does not belong to its sha256`);
  const { label = "", maxTunnels, expires } = fields;
  if (typeof label !== "string" || !isLabel(label)) throw wrong(`the label of ${what} is too long or not printable`);
  return {
    id: idOf(digest),
    label,
    digest,
    createdMs: readTime(fields["created"], `"created" of ${what}`),
    expiresMs: expires === undefined ? undefined : readTime(expires, `"expires" of ${what}`),
    names: readList(fields["names"], `"names" of ${what}`).map((name) => readPattern(name, what)),
    ports: readList(fields["ports"], `"ports" of ${what}`).map((range) => readRange(range, what)),
    maxTunnels: maxTunnels === undefined ? undefined : readCount(maxTunnels, `"maxTunnels" of ${what}`),
  };
}

function readPattern(name: string, what: string): string {
  if (patternKind(name) === undefined) throw wrong(`a name of ${what} is neither a name nor a wildcard`);
  return name;
}

function readRange(text: string, what: string): PortRange {
  const range = parsePortRange(text);
  if (!range) throw wrong(`a port of ${what} is neither a port nor a range`);
  return range;
}

function readTime(value: unknown, what: string): number {
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) throw wrong(`${what} is no time such as 2030-01-31T00:00:00Z`);
  return ms;
}

function readCount(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1) throw wrong(`${what} is no number above 0`);
  return value;
}

function readList(value: unknown, what: string): string[] {
  if (!Array.isArray(value) || value.length > maxListed) throw wrong(`${what} must be a list of at most ${maxListed}`);
  return value.map((item: unknown) => {
    if (typeof item !== "string") throw wrong(`${what} must be a list of texts`);
    return item;
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CaissonError("E_CONFIG", `it is no JSON: ${messageOf(error)}`, { cause: error });
  }
}

function asFields(value: unknown, what: string): Fields {
  if (!isFields(value)) throw wrong(`${what} is no object`);
  return value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong(message: string): CaissonError {
  return new CaissonError("E_CONFIG", message);
}
