// argv and environment to an Invocation. Loads nothing but commander, prints nothing but help and the version, and
// throws E_USAGE with one line that says what to do.

import type { OutputConfiguration } from "commander";
import { Command, CommanderError, Option } from "commander";
import { CaissonError } from "../lifecycle/errors.ts";
import type { Environment } from "./environment.ts";
import { applyEnvironment } from "./environment.ts";
import type { DemoInvocation, HttpInvocation, Invocation, ServeInvocation } from "./invocation.ts";
import { clientLimitFlags, limitsOf, serveLimitFlags } from "./limit-flags.ts";
import { collectList, limitOption, readDuration, readName } from "./option-readers.ts";
import { looksLikeTarget } from "./target-form.ts";

/** Where a command line comes from and where help goes. */
export interface CommandLine {
  /** The arguments after the program's name. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly version: string;
  /** Takes help and version texts. */
  write(text: string): void;
}

/** Parses a command line. Throws E_USAGE. */
export function parseCommandLine(line: CommandLine): Invocation {
  let invocation: Invocation = { command: "none" };
  const accept = (value: Invocation): void => {
    invocation = value;
  };
  const program = new Command("caisson")
    .description("A self-hosted tunnel: a public URL for a port on this machine.")
    .usage("TARGET | COMMAND [options]")
    .version(line.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help; after a command, help on it")
    .addHelpText("after", programExamples)
    .enablePositionalOptions();
  const commands = [httpCommand(line.env, accept), serveCommand(line.env, accept), demoCommand(line.env, accept)];
  for (const command of commands) program.addCommand(command);
  for (const command of [program, ...commands]) command.exitOverride().configureOutput(quietOutput(line));

  try {
    program.parse(withDefaultCommand(line.argv, program), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { command: "none" };
    throw usageError(error, line.argv);
  }
  return invocation;
}

/**
 * Puts `http` in front when the first operand looks like a target. To find that operand, options of `http` that take a
 * value are skipped together with it.
 */
export function withDefaultCommand(argv: readonly string[], program: Command): readonly string[] {
  const http = program.commands.find((command) => command.name() === "http");
  for (let at = 0; at < argv.length; at += 1) {
    const argument = argv[at] ?? "";
    if (!argument.startsWith("-") || argument === "-") return looksLikeTarget(argument) ? ["http", ...argv] : argv;
    if (argument === "--") return ["http", ...argv];
    const option = http?.options.find(({ long, short }) => argument === long || argument === short);
    if (option?.required === true) at += 1;
  }
  return argv;
}

function httpCommand(env: Environment, accept: (invocation: HttpInvocation) => void): Command {
  const command = new Command("http")
    .description("Give an HTTP service a public URL (the default: caisson 8000)")
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
    .option("--json", "one JSON object per line on stdout")
    .optionsGroup("Limits (seconds, or 500ms, 2m, 1h):");
  for (const limit of clientLimitFlags) command.addOption(limitOption(limit));
  return command.addHelpText("after", httpExamples).action((target: string) => {
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
      limits: limitsOf(clientLimitFlags, command.opts()),
    });
  });
}

function serveCommand(env: Environment, accept: (invocation: ServeInvocation) => void): Command {
  const command = new Command("serve")
    .description("Run the server that visitors and clients connect to")
    .option("--listen <host:port>", "where to listen (default: 127.0.0.1:8080)")
    .option("--domain <domain>", "tunnels are its subdomains (default: localhost)")
    .option("--public-url <template>", "behind a proxy: what tunnels are called outside, https://{name}.example.com")
    .addOption(new Option("--catch-all <name>", "the tunnel for requests to any other host").argParser(readName))
    .option("--open", "allow an address other than loopback although any client is accepted")
    .addOption(
      new Option("--trusted-proxies <cidr,...>", "peers whose X-Forwarded fields are believed; repeatable").argParser(
        collectList,
      ),
    )
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
    .addOption(new Option("--log-format <format>", "plain lines, or JSON").choices(["pretty", "json"]))
    .option("--json", "the same as --log-format json")
    .optionsGroup("Limits (seconds, or 500ms, 2m, 1h; bytes, or 64KiB, 1GiB):");
  for (const limit of serveLimitFlags) command.addOption(limitOption(limit));
  return command.addHelpText("after", serveExamples).action(() => {
    applyEnvironment(command, env);
    const flags = command.opts<ServeFlags>();
    accept({
      command: "serve",
      listen: flags.listen,
      domain: flags.domain,
      publicUrl: flags.publicUrl,
      catchAll: flags.catchAll,
      open: flags.open === true,
      trustedProxies: flags.trustedProxies ?? [],
      drainMs: flags.drain,
      drainDelayMs: flags.drainDelay,
      json: flags.json === true || flags.logFormat === "json",
      limits: limitsOf(serveLimitFlags, command.opts()),
    });
  });
}

function demoCommand(env: Environment, accept: (invocation: DemoInvocation) => void): Command {
  const command = new Command("demo")
    .description("A server, a client and a sample target in one go")
    .option("--listen <host:port>", "where to listen (default: 127.0.0.1:8080, or a free port)")
    .addOption(new Option("--name <name>", "the public name (default: demo)").argParser(readName))
    .option("--json", "one JSON object per line on stdout");
  return command.addHelpText("after", demoExamples).action(() => {
    applyEnvironment(command, env);
    const flags = command.opts<DemoFlags>();
    accept({ command: "demo", listen: flags.listen, name: flags.name ?? "demo", json: flags.json === true });
  });
}

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

interface ServeFlags {
  readonly listen?: string;
  readonly domain?: string;
  readonly publicUrl?: string;
  readonly catchAll?: string;
  readonly open?: boolean;
  readonly trustedProxies?: readonly string[];
  readonly drain?: number;
  readonly drainDelay?: number;
  readonly logFormat?: "pretty" | "json";
  readonly json?: boolean;
}

interface DemoFlags {
  readonly listen?: string;
  readonly name?: string;
  readonly json?: boolean;
}

/** Help goes to the caller; errors are thrown and told once, by main. */
function quietOutput(line: CommandLine): OutputConfiguration {
  return { writeOut: (text) => line.write(text), writeErr: () => undefined };
}

function usageError(error: CommanderError, argv: readonly string[]): CaissonError {
  if (error.code === "commander.help") {
    return new CaissonError(
      "E_USAGE",
      "say what to do: caisson 8000, caisson serve or caisson demo; caisson --help tells more",
    );
  }
  // Commander puts its suggestion on a second line: "error: unknown option '--nam'\n(Did you mean --name?)".
  const [problem = "", suggestion] = error.message.replace(/^error: /u, "").split("\n");
  const hint = suggestion?.replaceAll(/^\(|\)$/gu, "") ?? `See ${helpFor(argv)}.`;
  return new CaissonError("E_USAGE", `${problem.replace(/\.$/u, "")}. ${hint}`, { cause: error });
}

function helpFor(argv: readonly string[]): string {
  const command = argv.find((argument) => ["http", "serve", "demo"].includes(argument));
  return command === undefined ? "caisson --help" : `caisson ${command} --help`;
}

const programExamples = `
Examples:
  caisson demo                            see it work, nothing else needed
  caisson serve                           a server on 127.0.0.1:8080
  caisson 8000                            a public URL for http://localhost:8000
  caisson http 8000 --name shop           the same under a name of your choice
  caisson https://localhost:8443 --target-insecure --host-header rewrite

Every flag can be set by the environment: CAISSON_SERVER for --server, and so on.
Exit codes: 0 done, 1 failed, 2 usage, 3 configuration, 4 not allowed, 5 no connection, 6 name taken or replaced,
130 and 143 forced by a second signal.
`;

const httpExamples = `
Examples:
  caisson http 8000
  caisson http 127.0.0.1:3000 --name shop --server ws://tunnels.example.com
  caisson http https://localhost:8443 --target-ca ca.pem
  caisson http 8000 --json | jq -r 'select(.event == "tunnel").url'
`;

const serveExamples = `
Examples:
  caisson serve
  caisson serve --listen 0.0.0.0:8080 --open --domain tunnels.example.com
  caisson serve --catch-all app           requests to an IP address or any unknown host go to the tunnel "app"
  caisson serve --public-url 'https://{name}.example.com' --trusted-proxies 127.0.0.1
`;

const demoExamples = `
Examples:
  caisson demo
  caisson demo --listen 127.0.0.1:9000
`;
