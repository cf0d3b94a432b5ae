// The flags of `caisson http`, and what they mean as an invocation.

import type { Command } from "commander";
import { Option } from "commander";
import { applySettings } from "../config/settings.ts";
import { applyEnvironment } from "../environment.ts";
import { readName } from "../option-readers.ts";
import { addClientLimits, addClientOptions, clientOf } from "./client-options.ts";
import type { DefinitionContext } from "./context.ts";

const examples = `
Examples:
  caisson http 8000
  caisson http 127.0.0.1:3000 --name shop --server ws://tunnels.example.com
  caisson http https://localhost:8443 --target-ca ca.pem
  caisson http 8000 --json | jq -r 'select(.event == "tunnel").url'
`;

interface HttpFlags {
  readonly name?: string;
  readonly targetCa?: string;
  readonly targetInsecure?: boolean;
  readonly hostHeader?: string;
}

/** Gives `command` its flags, and turns them into an invocation when it is parsed. */
export function define(command: Command, { env, config, accept }: DefinitionContext): void {
  command
    .argument("<target>", "8000, host:port, http://host:port or https://host:port")
    .addOption(new Option("--name <name>", "the public name (default: a random one)").argParser(readName))
    .option("--target-ca <file>", "certificate authorities of an https target, PEM")
    .option("--target-insecure", "accept any certificate of the target")
    .option("--host-header <value>", '"rewrite" sends the target its own Host, anything else is sent as it is');
  addClientOptions(command);
  addClientLimits(command);
  command.addHelpText("after", examples).action((target: string) => {
    applyEnvironment(command, env);
    if (config) applySettings(command, config.client, config.folder);
    const flags = command.opts<HttpFlags>();
    accept({
      command: "http",
      type: "http",
      port: undefined,
      target,
      name: flags.name,
      targetCaFile: flags.targetCa,
      targetInsecure: flags.targetInsecure === true,
      hostHeader: flags.hostHeader,
      ...clientOf(command),
    });
  });
}
