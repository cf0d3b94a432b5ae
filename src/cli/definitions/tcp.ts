// The flags of `caisson tcp`, and what they mean as an invocation.

import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { applySettings } from "../config/settings.ts";
import { applyEnvironment } from "../environment.ts";
import { readName } from "../option-readers.ts";
import { addClientLimits, addClientOptions, clientOf } from "./client-options.ts";
import type { DefinitionContext } from "./context.ts";

const examples = `
Examples:
  caisson tcp 22 --port 2222
  caisson tcp 127.0.0.1:6379 --server wss://tunnels.example.com --token-file token
`;

interface TcpFlags {
  readonly name?: string;
  readonly port?: number;
}

/** Gives `command` its flags, and turns them into an invocation when it is parsed. */
export function define(command: Command, { env, config, accept }: DefinitionContext): void {
  command
    .argument("<target>", "22 or host:port")
    .addOption(new Option("--port <port>", "the public port (default: any free one)").argParser(readPort))
    .addOption(new Option("--name <name>", "what the tunnel is called (default: a random name)").argParser(readName));
  addClientOptions(command);
  addClientLimits(command);
  command.addHelpText("after", examples).action((target: string) => {
    applyEnvironment(command, env);
    if (config) applySettings(command, config.client, config.folder);
    const flags = command.opts<TcpFlags>();
    accept({
      command: "http",
      type: "tcp",
      target,
      port: flags.port,
      name: flags.name,
      targetCaFile: undefined,
      targetInsecure: false,
      hostHeader: undefined,
      ...clientOf(command),
    });
  });
}

function readPort(text: string): number {
  const port = /^\d{1,5}$/u.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new InvalidArgumentError("Write a port, 1 to 65535.");
  return port;
}
