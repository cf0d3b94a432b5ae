// Reads values that came as JSON from another process. Throws E_GATE where they are not what was agreed.

import { CaissonError } from "../../../src/lifecycle/errors.ts";

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value as an object. */
export function objectOf(value: unknown, what: string): JsonObject {
  if (!isObject(value)) throw new CaissonError("E_GATE", `${what} is no object but ${JSON.stringify(value)}`);
  return value;
}

/** The value as a number. */
export function numberOf(value: unknown, what: string): number {
  if (typeof value !== "number") throw new CaissonError("E_GATE", `${what} is no number but ${JSON.stringify(value)}`);
  return value;
}

/** The value as a string. */
export function textOf(value: unknown, what: string): string {
  if (typeof value !== "string") throw new CaissonError("E_GATE", `${what} is no text but ${JSON.stringify(value)}`);
  return value;
}

/** The value as numbers by name. */
export function numbersOf(value: unknown, what: string): Record<string, number> {
  const entries = Object.entries(objectOf(value, what));
  return Object.fromEntries(entries.map(([name, number]) => [name, numberOf(number, `${what} ${name}`)]));
}

/** Parses JSON text that must be an object. */
export function parseObject(text: string, what: string): JsonObject {
  try {
    return objectOf(JSON.parse(text), what);
  } catch (error) {
    throw CaissonError.from(error, "E_GATE");
  }
}
