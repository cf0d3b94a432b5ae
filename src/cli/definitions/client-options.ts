// The flags of every command that runs a client, and what they come to.

import type { Command } from "commander";
import { Option } from "commander";
import type { ClientInvocation } from "../invocation.ts";
import { clientLimitFlags, limitsOf } from "../limit-flags.ts";
import { collectList, limitOption } from "../option-readers.ts";
import { addAdminOptions, adminOf } from "./admin-options.ts";
import { addOtelOptions, otelOf } from "./otel-options.ts";

interface ClientFlags {
  readonly server?: readonly string[];
  readonly tokenFile?: string;
  readonly plaintext?: boolean;
  readonly ca?: string;
  readonly mask?: "zero" | "random";
  readonly json?: boolean;
}

/** Adds how a server is reached, and how it is told of. */
export function addClientOptions(command: Command): void {
  command
    .addOption(
      new Option("--server <url>", "ws://host:port or wss://host; repeatable (default: ws://127.0.0.1:8080)").argParser(
        collectList,
      ),
    )
    .option("--token-file <file>", "file with the token for the server (or CAISSON_TOKEN)")
    .option("--plaintext", "allow a token over ws:// to another host than this one")
    .option("--ca <file>", "certificate authorities of the server, PEM")
    .addOption(new Option("--mask <key>", "WebSocket masking key over TLS and to loopback").choices(["zero", "random"]))
    .option("--config <file>", "settings and tunnels (default: caisson/config.yaml in the configuration folder)")
    .option("--json", "one JSON object per line on stdout");
}

/** Adds the private listener, tracing and the limits. */
export function addClientLimits(command: Command): void {
  addAdminOptions(command, "off");
  addOtelOptions(command);
  command.optionsGroup("Limits (seconds, or 500ms, 2m, 1h):");
  for (const limit of clientLimitFlags) command.addOption(limitOption(limit));
}

/** What the flags of a parsed command come to. */
export function clientOf(command: Command): ClientInvocation {
  const flags = command.opts<ClientFlags>();
  return {
    servers: flags.server ?? [],
    tokenFile: flags.tokenFile,
    plaintext: flags.plaintext === true,
    caFile: flags.ca,
    mask: flags.mask,
    json: flags.json === true,
    admin: adminOf(command),
    otel: otelOf(command),
    limits: limitsOf(clientLimitFlags, command.opts()),
  };
}
