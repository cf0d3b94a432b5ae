// The flags of `caisson http`, and what they mean as an invocation.

import type { Command } from "commander";
import { Option } from "commander";
import { applyEnvironment } from "../environment.ts";
import { clientLimitFlags, limitsOf } from "../limit-flags.ts";
import { collectList, limitOption, readName } from "../option-readers.ts";
import { addAdminOptions, adminOf } from "./admin-options.ts";
import type { DefinitionContext } from "./context.ts";
import { addOtelOptions, otelOf } from "./otel-options.ts";

const examples = `
Examples:
  caisson http 8000
  caisson http 127.0.0.1:3000 --name shop --server ws://tunnels.example.com
  caisson http https://localhost:8443 --target-ca ca.pem
  caisson http 8000 --json | jq -r 'select(.event == "tunnel").url'
`;

interface HttpFlags {
  readonly server?: readonly string[];
  readonly name?: string;
  readonly tokenFile?: string;
  readonly plaintext?: boolean;
  readonly ca?: string;
  readonly targetCa?: string;
  readonly targetInsecure?: boolean;
  readonly hostHeader?: string;
  readonly mask?: "zero" | "random";
  readonly json?: boolean;
}

/** Gives `command` its flags, and turns them into an invocation when it is parsed. */
export function define(command: Command, { env, accept }: DefinitionContext): void {
  command
    .argument("<target>", "8000, host:port, http://host:port or https://host:port")
    .addOption(
      new Option("--server <url>", "ws://host:port or wss://host; repeatable (default: ws://127.0.0.1:8080)").argParser(
        collectList,
      ),
    )
    .addOption(new Option("--name <name>", "the public name (default: a random one)").argParser(readName))
    .option("--token-file <file>", "file with the token for the server (or CAISSON_TOKEN)")
    .option("--plaintext", "allow a token over ws:// to another host than this one")
    .option("--ca <file>", "certificate authorities of the server, PEM")
    .option("--target-ca <file>", "certificate authorities of an https target, PEM")
    .option("--target-insecure", "accept any certificate of the target")
    .option("--host-header <value>", '"rewrite" sends the target its own Host, anything else is sent as it is')
    .addOption(new Option("--mask <key>", "WebSocket masking key over TLS and to loopback").choices(["zero", "random"]))
    .option("--json", "one JSON object per line on stdout");
  addAdminOptions(command, "off");
  addOtelOptions(command);
  command.optionsGroup("Limits (seconds, or 500ms, 2m, 1h):");
  for (const limit of clientLimitFlags) command.addOption(limitOption(limit));
  command.addHelpText("after", examples).action((target: string) => {
    applyEnvironment(command, env);
    const flags = command.opts<HttpFlags>();
    accept({
      command: "http",
      target,
      servers: flags.server ?? [],
      name: flags.name,
      tokenFile: flags.tokenFile,
      plaintext: flags.plaintext === true,
      caFile: flags.ca,
      targetCaFile: flags.targetCa,
      targetInsecure: flags.targetInsecure === true,
      hostHeader: flags.hostHeader,
      mask: flags.mask,
      json: flags.json === true,
      admin: adminOf(command),
      otel: otelOf(command),
      limits: limitsOf(clientLimitFlags, command.opts()),
    });
  });
}
