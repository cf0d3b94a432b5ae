// What main gives to every command: where to read settings, where to write, and who sends signals.

import type { TracingChoice } from "../../assemble/tracing-options.ts";
import type { Environment } from "../environment.ts";
import type { Output } from "../output.ts";
import type { SignalSource } from "../stop-signals.ts";

/** The process around a command. */
export interface CommandContext {
  readonly output: Output;
  readonly env: Environment;
  readonly signals: SignalSource;
  /** How roles are traced; undefined leaves it to the SDK that is registered, if there is one. */
  readonly tracing: TracingChoice | undefined;
}
