// The flags of `caisson start`, and what they mean as an invocation.

import type { Command } from "commander";
import { CaissonError } from "../../lifecycle/errors.ts";
import { applySettings } from "../config/settings.ts";
import { applyEnvironment } from "../environment.ts";
import { addClientLimits, addClientOptions, clientOf } from "./client-options.ts";
import type { DefinitionContext } from "./context.ts";

const examples = `
Examples:
  caisson start                           every tunnel of the configuration
  caisson start shop blog                 two of them
  caisson start --config caisson.yaml     of another file; caisson config check tells what is wrong with one

SIGHUP reads the tunnels of the file again and touches only those that have changed.
`;

/** Gives `command` its flags, and turns them into an invocation when it is parsed. */
export function define(command: Command, { env, config, accept }: DefinitionContext): void {
  command.argument("[name...]", "keys of the tunnels to start (default: all)");
  addClientOptions(command);
  addClientLimits(command);
  command.addHelpText("after", examples).action((names: readonly string[]) => {
    if (!config) {
      throw new CaissonError("E_CONFIG", "there is no configuration: give one with --config caisson.yaml");
    }
    applyEnvironment(command, env);
    applySettings(command, config.client, config.folder);
    accept({ command: "start", names, config, ...clientOf(command) });
  });
}
