// What the OpenTelemetry SDK says of itself: on stderr, at the level of OTEL_LOG_LEVEL, and thinned out. Never on stdout,
// where the SDK's own logger would put it between the JSON events of a script.

import { inspect } from "node:util";
import type { DiagLogFunction } from "@opentelemetry/api";
import type * as Sdk from "@opentelemetry/sdk-node";
import { messageOf } from "../lifecycle/errors.ts";
import { LineBudget } from "../observe/line-budget.ts";
import type { Environment } from "./environment.ts";

const levelName = "OTEL_LOG_LEVEL";
/** Lines below a warning in ten seconds: whoever asks for them wants to read them, but not one per request. */
const maxDetails = 50;

/** The voice of one SDK. */
export class SdkDiagnostics {
  readonly #write: (text: string) => void;
  readonly #troubles = new LineBudget(1);
  readonly #details = new LineBudget(maxDetails);
  #started = false;

  /** `write` gets complete lines. */
  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Listens from now on. What OTEL_LOG_LEVEL says is not understood is told. */
  listen({ api, core }: Pick<typeof Sdk, "api" | "core">, env: Environment): void {
    const logger = {
      error: (text: string) => this.tell(text),
      warn: (text: string) => this.tell(text),
      info: this.#detail,
      debug: this.#detail,
      verbose: this.#detail,
    };
    api.diag.setLogger(logger, api.DiagLogLevel.WARN);
    const asked = env[levelName]?.trim() ?? "";
    if (asked === "") return;
    const logLevel = core.diagLogLevelFromString(asked) ?? api.DiagLogLevel.WARN;
    api.diag.setLogger(logger, { logLevel, suppressOverrideMessage: true });
  }

  /** What is wrong. While the SDK is set up it is said in full; what goes wrong later may go wrong with every request. */
  tell(text: string): void {
    if (!this.#started || this.#troubles.take("export") !== undefined) this.#write(`tracing: ${plainTrouble(text)}`);
  }

  /** Makes an SDK that does not put a logger of its own in the place of this one. */
  quietly<T>(make: () => T): T {
    const { [levelName]: level } = process.env;
    if (level === undefined) return make();
    delete process.env[levelName];
    try {
      return make();
    } finally {
      process.env[levelName] = level;
    }
  }

  /** The SDK is set up. */
  started(): void {
    this.#started = true;
  }

  readonly #detail: DiagLogFunction = (text, ...more) => {
    const suppressed = this.#details.take("detail");
    if (suppressed === undefined) return;
    const words = [text, ...more.map((part) => (typeof part === "string" ? part : inspect(part, { depth: 2 })))];
    if (suppressed > 0) words.push(`(${suppressed} lines left out before)`);
    this.#write(`tracing: ${words.join(" ")}`);
  };
}

/** The message alone of what the SDK logs as a JSON object with a stack. */
function plainTrouble(text: string): string {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && "message" in parsed) return messageOf(parsed.message);
  } catch {
    // It is plain text already.
  }
  return text;
}
