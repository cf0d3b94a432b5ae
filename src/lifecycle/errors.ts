// The one error class of Caisson, and the exhaustiveness check for closed unions.
// Violations and broken promises are thrown; refusals that a peer or user must expect are returned.

/** What went wrong, as a stable word that scripts and exit codes rely on. */
export type ErrorCode =
  | "E_USAGE"
  | "E_CONFIG"
  | "E_AUTH"
  | "E_CONNECT"
  | "E_NAME_TAKEN"
  | "E_REPLACED"
  | "E_REFUSED"
  | "E_CLOSED"
  | "E_PROTOCOL"
  | "E_LISTEN"
  | "E_ABORTED"
  | "E_GATE"
  | "E_INTERNAL";

/** Details of a {@link CaissonError}. */
export interface CaissonErrorOptions {
  /** What caused it, if another error did. */
  readonly cause?: unknown;
  /** The code that goes over the wire with it (a GOAWAY or RESET code, or a WebSocket close code), where one exists. */
  readonly wireCode?: number;
}

/** Every error that Caisson throws on purpose. `code` is stable, `message` is for people and may change. */
export class CaissonError extends Error {
  override readonly name = "CaissonError";
  readonly code: ErrorCode;
  readonly wireCode: number | undefined;

  constructor(code: ErrorCode, message: string, options: CaissonErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.wireCode = options.wireCode;
  }

  /** The given value as a CaissonError: itself if it is one, else a new one with `code` whose cause it is. */
  static from(value: unknown, code: ErrorCode = "E_INTERNAL"): CaissonError {
    if (value instanceof CaissonError) return value;
    return new CaissonError(code, messageOf(value), { cause: value });
  }
}

/** The text of anything that was thrown. */
export function messageOf(value: unknown): string {
  if (!(value instanceof Error)) return String(value);
  // Node's connect errors for several addresses are an AggregateError without a message of its own.
  if (value.message === "" && value instanceof AggregateError) return value.errors.map(messageOf).join("; ");
  return value.message;
}

/** The system's code of an error such as `ECONNREFUSED`, or undefined. */
export function systemCodeOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !("code" in value)) return undefined;
  return typeof value.code === "string" ? value.code : undefined;
}

/** Ends an exhaustive `switch`: fails to compile while a case is missing, throws E_INTERNAL if one arrives at run time. */
export function unreachable(value: never): never {
  throw new CaissonError("E_INTERNAL", `unexpected case: ${String(value)}`);
}
