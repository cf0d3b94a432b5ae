// The flags of `caisson tls`, and what they mean as an invocation.

import type { Command } from "commander";
import { Option } from "commander";
import { applySettings } from "../config/settings.ts";
import { applyEnvironment } from "../environment.ts";
import { readName } from "../option-readers.ts";
import { addClientLimits, addClientOptions, clientOf } from "./client-options.ts";
import type { DefinitionContext } from "./context.ts";

const notes = `
Visitors reach the target by the name in their ClientHello (SNI), on the port of caisson serve --listen-tls. Nothing is
decrypted on the way: they see the target's own certificate, which has to be good for that name.

Examples:
  caisson tls 8443 --name shop
  caisson tls 127.0.0.1:6380 --name cache --server wss://tunnels.example.com --token-file token
`;

interface TlsFlags {
  readonly name?: string;
}

/** Gives `command` its flags, and turns them into an invocation when it is parsed. */
export function define(command: Command, { env, config, accept }: DefinitionContext): void {
  command
    .argument("<target>", "8443 or host:port")
    .addOption(new Option("--name <name>", "the public name (default: a random one)").argParser(readName));
  addClientOptions(command);
  addClientLimits(command);
  command.addHelpText("after", notes).action((target: string) => {
    applyEnvironment(command, env);
    if (config) applySettings(command, config.client, config.folder);
    const { name } = command.opts<TlsFlags>();
    accept({
      command: "http",
      type: "tls",
      target,
      port: undefined,
      name,
      targetCaFile: undefined,
      targetInsecure: false,
      hostHeader: undefined,
      ...clientOf(command),
    });
  });
}
