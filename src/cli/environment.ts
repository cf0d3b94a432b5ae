// Flags from the environment: CAISSON_ and the flag's name in capitals (--name-hold is CAISSON_NAME_HOLD).
// A flag on the command line wins, an empty variable counts as absent, and a bad value is a usage error that names it.

import type { Command, Option } from "commander";
import { InvalidArgumentError } from "commander";
import { CaissonError } from "../lifecycle/errors.ts";

/** Variables of the environment, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The variable of a flag given without its dashes. */
export function variableOf(flag: string): string {
  return `CAISSON_${flag.toUpperCase().replaceAll("-", "_")}`;
}

/** Sets every option of `command` that was not given from its variable, if that is set. Throws E_USAGE. */
export function applyEnvironment(command: Command, environment: Environment): void {
  for (const option of command.options) {
    const variable = variableOf(option.name());
    const text = environment[variable];
    if (text === undefined || text === "" || option.name() === "help") continue;
    if (command.getOptionValueSource(option.attributeName()) === "cli") continue;
    command.setOptionValueWithSource(option.attributeName(), read(option, variable, text), "env");
  }
}

function read(option: Option, variable: string, text: string): unknown {
  if (option.isBoolean()) return readSwitch(variable, text);
  try {
    return option.parseArg ? option.parseArg<unknown>(text, undefined) : text;
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new CaissonError("E_USAGE", `${variable}=${text} is invalid. ${error.message}`, { cause: error });
  }
}

function readSwitch(variable: string, text: string): boolean {
  switch (text.toLowerCase()) {
    case "1":
    case "true":
    case "yes":
    case "on":
      return true;
    case "0":
    case "false":
    case "no":
    case "off":
      return false;
    default:
      throw new CaissonError("E_USAGE", `${variable}=${text} is invalid. Write 1 or 0.`);
  }
}
