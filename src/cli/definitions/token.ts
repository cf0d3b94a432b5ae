// The flags of `caisson token create`, `list` and `revoke`, and what they mean as invocations.

import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { parsePortRange, patternKind } from "../../tokens/name-pattern.ts";
import { CaissonError } from "../../lifecycle/errors.ts";
import { variableOf } from "../environment.ts";
import { collectList, readCount } from "../option-readers.ts";
import { expiryForm, parseExpiry } from "../quantities.ts";
import type { DefinitionContext } from "./context.ts";

const examples = `
Examples:
  caisson token create --tokens tokens.json --name shop --label "Ann's laptop" > shop.token
  caisson token create --tokens tokens.json --name 'ci-*' --max-tunnels 3 --expires 90d --output ci.token
  caisson token list --tokens tokens.json
  caisson token revoke 1f0c9a2b7d3e --tokens tokens.json
  caisson serve --tokens tokens.json            only clients with a token are let in
`;

interface TokenFlags {
  readonly tokens?: string;
  readonly json?: boolean;
}

interface CreateFlags extends TokenFlags {
  readonly name?: readonly string[];
  readonly port?: readonly string[];
  readonly maxTunnels?: number;
  readonly expires?: number;
  readonly label?: string;
  readonly output?: string;
}

interface RevokeFlags extends TokenFlags {
  readonly expired?: boolean;
}

/** Gives `command` its subcommands, and turns them into an invocation when one is parsed. */
export function define(command: Command, { env, accept }: DefinitionContext): void {
  const shared = ({ tokens, json }: TokenFlags): { readonly file: string | undefined; readonly json: boolean } => ({
    file: tokens ?? (env[variableOf("tokens")] || undefined),
    json: json === true,
  });
  const create = command.command("create").description("make a token, show it once, and keep its digest");
  addShared(create)
    .addOption(
      new Option("--name <name>", "a name it may use, or a wildcard such as ci-*; repeatable (default: any)").argParser(
        readPatterns,
      ),
    )
    .addOption(
      new Option(
        "--port <port>",
        "a TCP port it may use, or a range; repeatable (default: any, none with --name)",
      ).argParser(readPorts),
    )
    .addOption(
      new Option("--max-tunnels <number>", "tunnels at once (default: the server's limit)").argParser(readCount),
    )
    .addOption(new Option("--expires <when>", `${expiryForm} (default: never)`).argParser(readExpiry))
    .option("--label <text>", "whose it is, for the list")
    .option("--output <file>", "write the token to a new file with mode 0600 instead of stdout")
    .action(() => {
      const flags = create.opts<CreateFlags>();
      const { name, port, maxTunnels, expires, label = "", output } = flags;
      accept({
        command: "token",
        action: "create",
        ...shared(flags),
        names: name ?? [],
        ports: port ?? [],
        maxTunnels,
        expiresMs: expires,
        label,
        output,
      });
    });
  const list = command.command("list").description("what tokens there are, and what they may do");
  addShared(list).action(() => accept({ command: "token", action: "list", ...shared(list.opts<TokenFlags>()) }));
  const revoke = command.command("revoke").description("end tokens, and with them the sessions of whoever has them");
  addShared(revoke)
    .argument("[id...]", "as caisson token list shows them")
    .option("--expired", "every token that has expired")
    .action((ids: readonly string[]) => {
      const flags = revoke.opts<RevokeFlags>();
      const expired = flags.expired === true;
      if (ids.length === 0 && !expired) {
        throw new CaissonError("E_USAGE", "say which token: give its id, which caisson token list shows, or --expired");
      }
      accept({ command: "token", action: "revoke", ...shared(flags), ids, expired });
    });
  command.addHelpText("after", examples);
}

function addShared(command: Command): Command {
  return command
    .option("--tokens <file>", "the tokens file, made if missing (default: tokens.json in the state folder)")
    .option("--json", "one JSON object per line on stdout");
}

function readPatterns(text: string, previous: readonly string[] | undefined): readonly string[] {
  const patterns = collectList(text, previous);
  if (patterns.some((pattern) => patternKind(pattern) === undefined)) {
    throw new InvalidArgumentError("Write a name such as shop, or a wildcard with one star such as ci-*.");
  }
  return patterns;
}

function readPorts(text: string, previous: readonly string[] | undefined): readonly string[] {
  const ports = collectList(text, previous);
  if (ports.some((port) => parsePortRange(port) === undefined)) {
    throw new InvalidArgumentError("Write a port such as 2222, or a range such as 2200-2299.");
  }
  return ports;
}

function readExpiry(text: string): number {
  const expiresMs = parseExpiry(text, Date.now());
  if (expiresMs === undefined) throw new InvalidArgumentError(`Write ${expiryForm}, in the future.`);
  return expiresMs;
}
