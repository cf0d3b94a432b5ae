// The flags of `caisson diag`, and what they mean as an invocation.

import type { Command } from "commander";
import { applyEnvironment } from "../environment.ts";
import type { DefinitionContext } from "./context.ts";

const examples = `
Examples:
  caisson diag
  caisson diag --admin unix:/run/caisson/admin.sock --admin-token-file /etc/caisson/admin-token
`;

interface DiagFlags {
  readonly admin?: string;
  readonly adminTokenFile?: string;
  readonly output?: string;
  readonly json?: boolean;
}

/** Gives `command` its flags, and turns them into an invocation when it is parsed. */
export function define(command: Command, { env, accept }: DefinitionContext): void {
  command
    .option("--admin <address>", "the private listener to ask, host:port or unix:PATH (default: 127.0.0.1:9190)")
    .option("--admin-token-file <file>", "its token (default: in the state folder)")
    .option("--output <file>", "where the archive goes (default: a new file here)")
    .option("--json", "one JSON object on stdout");
  command.addHelpText("after", examples).action(() => {
    applyEnvironment(command, env);
    const flags = command.opts<DiagFlags>();
    accept({
      command: "diag",
      admin: flags.admin,
      tokenFile: flags.adminTokenFile,
      output: flags.output,
      json: flags.json === true,
    });
  });
}
