// argv and environment to an Invocation. Loads commander and the one definition that the command line needs, prints
// nothing but help and the version, and throws E_USAGE with one line that says what to do.

import type { OutputConfiguration } from "commander";
import { Command, CommanderError } from "commander";
import { CaissonError } from "../lifecycle/errors.ts";
import { configFileOf } from "./config/config-place.ts";
import type { ConfigFile } from "./config/config-shape.ts";
import type { DefinitionContext } from "./definitions/context.ts";
import type { Environment } from "./environment.ts";
import type { Invocation } from "./invocation.ts";
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

/** A command's own flags, in a module that is loaded only when they matter. */
interface Definition {
  define(command: Command, context: DefinitionContext): void;
}

/** What the program's own help says of each command, and where the rest is. */
const summaries: readonly (readonly [name: string, description: string, load: () => Promise<Definition>])[] = [
  ["http", "Give an HTTP service a public URL (the default: caisson 8000)", () => import("./definitions/http.ts")],
  ["tcp", "Give a TCP service a public port", () => import("./definitions/tcp.ts")],
  ["tls", "Give a service with a certificate of its own a public name", () => import("./definitions/tls.ts")],
  ["start", "Several services at once, from a configuration file", () => import("./definitions/start.ts")],
  ["serve", "Run the server that visitors and clients connect to", () => import("./definitions/serve.ts")],
  ["token", "Make, list and revoke the tokens of a server", () => import("./definitions/token.ts")],
  ["config", "Check a configuration file", () => import("./definitions/config.ts")],
  ["demo", "A server, a client and a sample target in one go", () => import("./definitions/demo.ts")],
  ["gate", "Prove that connecting and disconnecting leaves nothing behind", () => import("./definitions/gate.ts")],
  ["diag", "One archive with everything a bug report needs", () => import("./definitions/diag.ts")],
];

/** What the commands with commands of their own can do. */
const subcommands: Readonly<Record<string, string>> = { token: "create, list or revoke", config: "check or schema" };

/** The commands that read the configuration file. */
const configured: ReadonlySet<string> = new Set(["http", "tcp", "tls", "start", "serve"]);

const examples = `
Examples:
  caisson demo                            see it work, nothing else needed
  caisson serve                           a server on 127.0.0.1:8080
  caisson 8000                            a public URL for http://localhost:8000
  caisson start --config caisson.yaml     several services at once
  caisson tcp 22 --port 2222              a public port for the SSH server here
  caisson tls 8443 --name shop            a TLS service here shows its own certificate
  caisson http 8000 --name shop           the same under a name of your choice
  caisson https://localhost:8443 --target-insecure --host-header rewrite
  caisson gate --quick                    does this server leak? about a minute
  caisson diag                            one archive for a bug report about the running server

Every flag can be set by the environment: CAISSON_SERVER for --server, and so on.
Exit codes: 0 done, 1 failed, 2 usage, 3 configuration, 4 not allowed, 5 no connection, 6 name taken or replaced,
7 leak found, 8 undecided, 130 and 143 forced by a second signal.
`;

/** Parses a command line. Rejects with E_USAGE. */
export async function parseCommandLine(line: CommandLine): Promise<Invocation> {
  let invocation: Invocation = { command: "none" };
  const accept = (value: Invocation): void => {
    invocation = value;
  };
  const argv = await withDefaultCommand(line.argv);
  const asked = argv[0] === "help" ? argv[1] : argv[0];
  const program = new Command("caisson")
    .description("A self-hosted tunnel: a public URL for a port on this machine.")
    .usage("TARGET | COMMAND [options]")
    .version(line.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help; after a command, help on it")
    .addHelpText("after", examples)
    .enablePositionalOptions();
  for (const [name, description, load] of summaries) {
    const command = program.command(name).description(description);
    if (name !== asked) continue;
    const config = configured.has(name) ? await loadSettings(argv, line.env) : undefined;
    (await load()).define(command, { env: line.env, config, accept });
  }
  for (const command of withSubcommands(program)) command.exitOverride().configureOutput(quietOutput(line));

  try {
    program.parse(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { command: "none" };
    throw usageError(error, line.argv);
  }
  return invocation;
}

/** The configuration file that the command line means, if there is one. Help is given whatever is in it. */
async function loadSettings(argv: readonly string[], env: Environment): Promise<ConfigFile | undefined> {
  const wantsHelp = argv[0] === "help" || argv.includes("--help") || argv.includes("-h");
  const file = wantsHelp ? undefined : configFileOf(argv, env);
  if (file === undefined) return undefined;
  const { loadConfig } = await import("./config/config-file.ts");
  return loadConfig(file);
}

/**
 * Puts `http` in front when the first operand looks like a target. To find that operand behind options, those of `http`
 * that take a value are skipped together with it.
 */
async function withDefaultCommand(argv: readonly string[]): Promise<readonly string[]> {
  const [first = ""] = argv;
  const plain = !first.startsWith("-") || ["-h", "--help", "-V", "--version"].includes(first);
  const options = plain ? [] : await optionsOfHttp();
  for (let at = 0; at < argv.length; at += 1) {
    const argument = argv[at] ?? "";
    if (!argument.startsWith("-")) return looksLikeTarget(argument) ? ["http", ...argv] : argv;
    if (argument === "--") return ["http", ...argv];
    const option = options.find(({ long, short }) => argument === long || argument === short);
    if (option?.required === true) at += 1;
  }
  return argv;
}

async function optionsOfHttp(): Promise<Command["options"]> {
  const { define } = await import("./definitions/http.ts");
  const command = new Command("http");
  define(command, { env: {}, config: undefined, accept: () => undefined });
  return command.options;
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** Help goes to the caller; errors are thrown and told once, by main. */
function quietOutput(line: CommandLine): OutputConfiguration {
  return { writeOut: (text) => line.write(text), writeErr: () => undefined };
}

function usageError(error: CommanderError, argv: readonly string[]): CaissonError {
  const parts = error.code === "commander.help" ? subcommands[argv[0] ?? ""] : undefined;
  if (parts !== undefined) return new CaissonError("E_USAGE", `say what to do: ${parts}; see ${helpFor(argv)}`);
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
  const command = argv.find((argument) => summaries.some(([name]) => name === argument));
  return command === undefined ? "caisson --help" : `caisson ${command} --help`;
}
