// The flags of `caisson config check` and `caisson config schema`.

import type { Command } from "commander";
import type { DefinitionContext } from "./context.ts";

const examples = `
Examples:
  caisson config check caisson.yaml       every problem, each with its line
  caisson config schema > caisson.schema.json
`;

interface CheckFlags {
  readonly json?: boolean;
}

/** Gives `command` its subcommands, and turns them into an invocation when one is parsed. */
export function define(command: Command, { accept }: DefinitionContext): void {
  const check = command.command("check").description("say what is wrong with a configuration file, and where");
  check
    .argument("[file]", "the file (default: caisson/config.yaml in the configuration folder)")
    .option("--json", "one JSON object per problem on stdout")
    .action((file: string | undefined) =>
      accept({ command: "config", action: "check", file, json: check.opts<CheckFlags>().json === true }),
    );
  command
    .command("schema")
    .description("the JSON Schema of the file, for editors")
    .action(() => accept({ command: "config", action: "schema", json: false }));
  command.addHelpText("after", examples);
}
