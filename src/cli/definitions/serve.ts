// The flags of `caisson serve`, and what they mean as an invocation.

import type { Command } from "commander";
import { Option } from "commander";
import type { TlsFiles } from "../../assemble/served-addresses.ts";
import { CaissonError } from "../../lifecycle/errors.ts";
import type { LogLevel } from "../../observe/log-level.ts";
import { logLevels } from "../../observe/log-level.ts";
import { applySettings } from "../config/settings.ts";
import { applyEnvironment } from "../environment.ts";
import { limitsOf, serveLimitFlags } from "../limit-flags.ts";
import { collectList, limitOption, readDuration, readName } from "../option-readers.ts";
import { addAdminOptions, adminOf } from "./admin-options.ts";
import type { DefinitionContext } from "./context.ts";
import { addOtelOptions, otelOf } from "./otel-options.ts";

const examples = `
Examples:
  caisson serve
  caisson serve --listen 0.0.0.0:8080 --tokens tokens.json --domain tunnels.example.com
  caisson serve --listen 0.0.0.0:80 --listen-tls 0.0.0.0:443 --tokens tokens.json --domain tunnels.example.com \\
    --tls-cert fullchain.pem --tls-key privkey.pem --redirect-https
  caisson serve --catch-all app           requests to an IP address or any unknown host go to the tunnel "app"
  caisson serve --public-url 'https://{name}.example.com' --trusted-proxies 127.0.0.1
`;

interface ServeFlags {
  readonly listen?: string;
  readonly listenTls?: string;
  readonly listenClients?: string;
  readonly tlsCert?: readonly string[];
  readonly tlsKey?: readonly string[];
  readonly redirectHttps?: boolean;
  readonly proxyProtocol?: boolean;
  readonly tcpPorts?: string;
  readonly domain?: string;
  readonly publicUrl?: string;
  readonly catchAll?: string;
  readonly tokens?: string;
  readonly open?: boolean;
  readonly trustedProxies?: readonly string[];
  readonly drain?: number;
  readonly drainDelay?: number;
  readonly readyDelay?: number;
  readonly logFormat?: "pretty" | "json";
  readonly logLevel?: LogLevel;
  readonly json?: boolean;
}

/** Gives `command` its flags, and turns them into an invocation when it is parsed. */
export function define(command: Command, { env, config, accept }: DefinitionContext): void {
  command
    .option("--listen <host:port>", 'where to listen (default: 127.0.0.1:8080); "off" beside --listen-tls')
    .option("--listen-tls <host:port>", "where to listen for TLS")
    .option("--listen-clients <host:port>", "where clients connect, and only there; with TLS if there is a certificate")
    .addOption(new Option("--tls-cert <file>", "certificate chain, PEM; repeatable").argParser(collectList))
    .addOption(new Option("--tls-key <file>", "its private key, PEM; one for each --tls-cert").argParser(collectList))
    .option("--tcp-ports <a-b>", "the ports that TCP tunnels may have (default: none)")
    .option("--redirect-https", "send visitors of plain HTTP to HTTPS")
    .option("--domain <domain>", "tunnels are its subdomains (default: localhost)")
    .option("--public-url <template>", "behind a proxy: what tunnels are called outside, https://{name}.example.com")
    .addOption(new Option("--catch-all <name>", "the tunnel for requests to any other host").argParser(readName))
    .option("--tokens <file>", "let in only clients with a token of this file; see caisson token --help")
    .option("--open", "allow an address other than loopback although any client is accepted")
    .addOption(
      new Option("--trusted-proxies <cidr,...>", "peers whose X-Forwarded fields are believed; repeatable").argParser(
        collectList,
      ),
    )
    .option("--proxy-protocol", "trusted proxies begin connections with a PROXY header, version 1 or 2")
    .addOption(
      new Option("--drain <seconds>", "requests in flight may finish for so long at the end (default: 30 s)").argParser(
        readDuration,
      ),
    )
    .addOption(
      new Option("--drain-delay <seconds>", "keep accepting for so long after a signal (default: 0 ms)").argParser(
        readDuration,
      ),
    )
    .addOption(
      new Option("--ready-delay <seconds>", "/readyz stays off for so long after the start (default: 0 ms)").argParser(
        readDuration,
      ),
    )
    .addOption(
      new Option("--log-format <format>", "plain lines, or JSON (events on stdout, log lines on stderr)").choices([
        "pretty",
        "json",
      ]),
    )
    .addOption(new Option("--log-level <level>", "what is worth a line (default: info)").choices(logLevels))
    .option("--config <file>", "settings, under serve: (default: caisson/config.yaml in the configuration folder)")
    .option("--json", "the same as --log-format json");
  addAdminOptions(command, "127.0.0.1:9190");
  addOtelOptions(command);
  command.optionsGroup("Limits (seconds, or 500ms, 2m, 1h; bytes, or 64KiB, 1GiB):");
  for (const limit of serveLimitFlags) command.addOption(limitOption(limit));
  command.addHelpText("after", examples).action(() => {
    applyEnvironment(command, env);
    if (config) applySettings(command, config.serve, config.folder);
    const flags = command.opts<ServeFlags>();
    accept({
      command: "serve",
      listen: flags.listen,
      listenTls: flags.listenTls,
      listenClients: flags.listenClients,
      tls: tlsFiles(flags),
      redirectHttps: flags.redirectHttps === true,
      proxyProtocol: flags.proxyProtocol === true,
      tcpPorts: flags.tcpPorts,
      domain: flags.domain,
      publicUrl: flags.publicUrl,
      catchAll: flags.catchAll,
      open: flags.open === true,
      tokens: flags.tokens,
      trustedProxies: flags.trustedProxies ?? [],
      drainMs: flags.drain,
      drainDelayMs: flags.drainDelay,
      readyDelayMs: flags.readyDelay,
      json: flags.json === true || flags.logFormat === "json",
      logLevel: flags.logLevel ?? "info",
      admin: adminOf(command),
      otel: otelOf(command),
      limits: limitsOf(serveLimitFlags, command.opts()),
    });
  });
}

/** Pairs the files in the order in which they were given. Throws E_USAGE when one is left over. */
function tlsFiles({ tlsCert = [], tlsKey = [] }: ServeFlags): TlsFiles[] {
  if (tlsCert.length !== tlsKey.length) {
    throw new CaissonError(
      "E_USAGE",
      `give one --tls-key for each --tls-cert, in the same order (now ${tlsCert.length} and ${tlsKey.length})`,
    );
  }
  return tlsCert.map((cert, at) => ({ cert, key: tlsKey[at] ?? "" }));
}
