// The sentences of findings: what grew, by how much, since when, in words that need no manual. It decides nothing.

import type { Axis } from "./axis.ts";
import type { Interval, LedgerName } from "./finding.ts";

/** Up to three significant digits, and no more zeros than a reader needs. */
export function amount(value: number): string {
  if (!Number.isFinite(value)) return "unknown";
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  if (size < 0.00005) return "0";
  return String(Number(value.toPrecision(size >= 100 ? 3 : 2)));
}

/** Both limits, as in `[8.3, 11]`. */
export function limits([lower, upper]: Interval): string {
  return `[${amount(lower)}, ${amount(upper)}]`;
}

/** Bytes with a unit that fits; the sign is kept. */
export function bytes(value: number): string {
  const size = Math.abs(value);
  if (size < 10_000) return `${amount(value)} B`;
  if (size < 10_000_000) return `${amount(value / 1024)} KiB`;
  return `${amount(value / 1_048_576)} MiB`;
}

/** One per N where that is easier to grasp than a fraction. */
export function rateOf(perUnit: number, unit: Axis["unit"]): string {
  if (perUnit >= 0.2 || perUnit <= 0) return `${amount(perUnit)} per ${unit}`;
  return `${amount(perUnit)} per ${unit}, about one in ${amount(Math.round(1 / perUnit))}`;
}

/** What a number of some ledger counts, as the subject of a sentence. */
export function counted(ledger: LedgerName, subject: string): string {
  switch (ledger) {
    case "held":
      return `entries of kind ${subject} held by containers`;
    case "live":
      return `open resources of kind ${subject}`;
    case "alive":
      return `closed but uncollected resources of kind ${subject}`;
    case "handles":
      return `active handles of type ${subject}`;
    case "fds":
      return `open descriptors of type ${subject}`;
    case "listeners":
      return `listeners of ${subject}`;
    case "probe":
      return `entries of the container ${subject}`;
    case "objects":
      return `live objects of class ${subject}`;
    case "operations":
      return `operations ${subject}`;
    case "series":
    case "machine":
      return subject;
    case "heap":
    case "external":
    case "rss":
      return `bytes of ${subject}`;
    default:
      return unknownLedger(ledger);
  }
}

function unknownLedger(ledger: never): never {
  throw new TypeError(`no such ledger: ${String(ledger)}`);
}

/** With a capital first letter. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
