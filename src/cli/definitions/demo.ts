// The flags of `caisson demo`, and what they mean as an invocation.

import type { Command } from "commander";
import { Option } from "commander";
import { applyEnvironment } from "../environment.ts";
import { readName } from "../option-readers.ts";
import type { DefinitionContext } from "./context.ts";
import { addOtelOptions, otelOf } from "./otel-options.ts";

const examples = `
Examples:
  caisson demo
  caisson demo --listen 127.0.0.1:9000
`;

interface DemoFlags {
  readonly listen?: string;
  readonly name?: string;
  readonly json?: boolean;
}

/** Gives `command` its flags, and turns them into an invocation when it is parsed. */
export function define(command: Command, { env, accept }: DefinitionContext): void {
  command
    .option("--listen <host:port>", "where to listen (default: 127.0.0.1:8080, or a free port)")
    .addOption(new Option("--name <name>", "the public name (default: demo)").argParser(readName))
    .option("--json", "one JSON object per line on stdout");
  addOtelOptions(command);
  command.addHelpText("after", examples).action(() => {
    applyEnvironment(command, env);
    const flags = command.opts<DemoFlags>();
    accept({
      command: "demo",
      listen: flags.listen,
      name: flags.name ?? "demo",
      otel: otelOf(command),
      json: flags.json === true,
    });
  });
}
