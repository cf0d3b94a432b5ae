// From option text to checked values, with commander's own error so that the flag is named in the message.

import { InvalidArgumentError, Option } from "commander";
import type { LimitFlag, LimitUnit } from "./limit-flags.ts";
import {
  countForm,
  durationForm,
  formatBytes,
  formatMs,
  parseCount,
  parseDuration,
  parseSize,
  sizeForm,
} from "./quantities.ts";

/** The flag of one limit. */
export function limitOption([flag, , unit, standard, help, least = 1]: LimitFlag): Option {
  const { placeholder, read, form, show }: QuantityForm = forms[unit];
  const shown = standard === undefined ? help : `${help} (default: ${show(standard)})`;
  return new Option(`--${flag} <${placeholder}>`, shown).argParser((text: string) => {
    const value = read(text);
    if (value === undefined) throw new InvalidArgumentError(`Write ${form}.`);
    if (value < least) throw new InvalidArgumentError(`The least is ${show(least)}.`);
    return value;
  });
}

/** Reads a duration in milliseconds. */
export function readDuration(text: string): number {
  const value = parseDuration(text);
  if (value === undefined) throw new InvalidArgumentError(`Write ${durationForm}.`);
  return value;
}

/** Reads a whole number of at least 1. */
export function readCount(text: string): number {
  const value = parseCount(text);
  if (value === undefined || value < 1) throw new InvalidArgumentError(`Write ${countForm}, at least 1.`);
  return value;
}

/** Reads a tunnel name: one DNS label. Whether it is reserved or taken is the server's answer. */
export function readName(text: string): string {
  if (!/^(?!-)[a-z0-9-]{1,63}(?<!-)$/u.test(text) || text.startsWith("xn--")) {
    throw new InvalidArgumentError(
      "A name has 1 to 63 of a-z, 0-9 and -, no hyphen at its ends, and no xn-- in front.",
    );
  }
  return text;
}

/** Collects a repeatable option whose values may also stand in one, with commas between. */
export function collectList(text: string, previous: readonly string[] | undefined): readonly string[] {
  const values = text.split(",").map((part) => part.trim());
  if (values.includes("")) throw new InvalidArgumentError("Write one value, or several with commas between.");
  return [...(previous ?? []), ...values];
}

interface QuantityForm {
  readonly placeholder: string;
  readonly form: string;
  readonly read: (text: string) => number | undefined;
  readonly show: (value: number) => string;
}

const forms: Readonly<Record<LimitUnit, QuantityForm>> = {
  duration: { placeholder: "seconds", form: durationForm, read: parseDuration, show: formatMs },
  bytes: { placeholder: "bytes", form: sizeForm, read: parseSize, show: formatBytes },
  count: { placeholder: "number", form: countForm, read: parseCount, show: String },
};
