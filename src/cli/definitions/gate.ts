// The flags of `caisson gate`, and what they mean as an invocation.

import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { CaissonError } from "../../lifecycle/errors.ts";
import { applyEnvironment } from "../environment.ts";
import type { GateInvocation } from "../invocation.ts";
import { collectList, readCount, readDuration } from "../option-readers.ts";
import { parseCount } from "../quantities.ts";
import type { DefinitionContext } from "./context.ts";

const examples = `
Examples:
  caisson gate                            connect and disconnect 5,000 clients, at most three minutes
  caisson gate --quick --junit junit.xml  the short form for every build
  caisson gate --scenario storm --scenario half-open --seed 7
  caisson gate --scenario null            no server: does the load generator itself leak?
  caisson gate --server http://127.0.0.1:8080 --admin http://127.0.0.1:9190
  caisson gate --attach ws://127.0.0.1:9229/ID --driver driver.mjs

Exit codes: 0 clean, 7 leak found, 8 undecided (the machine is too noisy), 1 the run itself failed.
`;

interface GateFlags {
  readonly quick?: boolean;
  readonly soak?: boolean;
  readonly clients?: number;
  readonly rounds?: number;
  readonly rate?: number;
  readonly seed?: number;
  readonly patience?: number;
  readonly rest?: number;
  readonly scenario?: readonly string[];
  readonly import?: string;
  readonly importClient?: string;
  readonly server?: string;
  readonly admin?: string;
  readonly adminTokenFile?: string;
  readonly domain?: string;
  readonly tokenFile?: string;
  readonly plaintext?: boolean;
  readonly attach?: string;
  readonly driver?: string;
  readonly undecided?: "pass" | "fail";
  readonly json?: boolean;
  readonly reportJson?: string;
  readonly junit?: string;
  readonly markdown?: string;
  readonly html?: string;
  readonly benchmark?: string;
}

/** Gives `command` its flags, and turns them into an invocation when it is parsed. */
export function define(command: Command, { env, accept }: DefinitionContext): void {
  command
    .option("--quick", "the short form, about a minute")
    .option("--soak", "100,000 clients")
    .addOption(new Option("--clients <number>", "clients that connect and disconnect").argParser(readCount))
    .addOption(new Option("--rounds <number>", "measured rounds, at least 8").argParser(readCount))
    .addOption(new Option("--rate <number>", "client connects per second at most").argParser(readCount))
    .addOption(new Option("--seed <number>", "the same seed does the same work (default: 1)").argParser(readSeed))
    .addOption(
      new Option(
        "--patience <number>",
        "clients before what grows is a leak and no cache (default: 2000 to 20000)",
      ).argParser(readCount),
    )
    .addOption(
      new Option("--rest <time>", "without any client before a leak is told (default: 32s)").argParser(readDuration),
    )
    .addOption(new Option("--scenario <name>", "only this; repeatable").argParser(collectList))
    .option("--import <file>", "a module to load into the server under test, before anything else")
    .option("--import-client <file>", "the same for the clients")
    .addOption(
      new Option("--undecided <answer>", "what undecided means to a build (default: fail)").choices(["pass", "fail"]),
    )
    .option("--json", "one JSON object on stdout")
    .optionsGroup("Servers that run already:")
    .option("--server <url>", "a Caisson server, instead of one that the gate starts: http://host:port")
    .option("--admin <address>", "its private listener: http://host:port or unix:PATH")
    .option("--admin-token-file <file>", "its token (default: in the state folder)")
    .option("--domain <domain>", "the domain of its tunnels (default: localhost)")
    .option("--token-file <file>", "file with a token for it (or CAISSON_TOKEN)")
    .option("--plaintext", "allow the token over http:// to another host than this one")
    .option("--attach <url>", "the inspector of any Node server: ws://127.0.0.1:9229/ID or 127.0.0.1:9229")
    .option("--driver <file>", "a module that connects and disconnects clients of that server")
    .optionsGroup("Reports:")
    .option("--report-json <file>", "everything, with all samples")
    .option("--junit <file>", "JUnit XML")
    .option("--markdown <file>", "for the summary of a CI job")
    .option("--html <file>", "one page with plots of every series")
    .option("--benchmark <file>", "the array of github-action-benchmark");
  command.addHelpText("after", examples).action(() => {
    // What a client's environment names is a server in use, and no place for thousands of clients: only flags can say so.
    const places = { CAISSON_SERVER: "", CAISSON_DOMAIN: "", CAISSON_ADMIN: "", CAISSON_ADMIN_TOKEN_FILE: "" };
    applyEnvironment(command, { ...env, ...places });
    accept(invocationOf(command.opts<GateFlags>()));
  });
}

function invocationOf(flags: GateFlags): GateInvocation {
  together(flags, ["quick", "soak"], "never");
  together(flags, ["server", "admin"], "always");
  together(flags, ["attach", "driver"], "always");
  together(flags, ["server", "attach"], "never");
  together(flags, ["server", "import"], "never");
  if (flags.domain !== undefined && flags.server === undefined) {
    throw new CaissonError("E_USAGE", "--domain is that of a server that runs already: give its --server, too");
  }
  if (flags.attach !== undefined) refuseWithAttach(flags);
  const { reportJson, junit, markdown, html, benchmark } = flags;
  const files = Object.entries({ reportJson, junit, markdown, html, benchmark });
  return {
    command: "gate",
    preset: flags.quick === true ? "quick" : flags.soak === true ? "soak" : "default",
    clients: flags.clients,
    rounds: flags.rounds,
    rate: flags.rate,
    seed: flags.seed,
    patience: flags.patience,
    restMs: flags.rest,
    scenarios: flags.scenario ?? [],
    importServer: flags.import,
    importClient: flags.importClient,
    server: flags.server,
    admin: flags.admin,
    adminTokenFile: flags.adminTokenFile,
    domain: flags.domain,
    tokenFile: flags.tokenFile,
    plaintext: flags.plaintext === true,
    attach: flags.attach,
    driver: flags.driver,
    undecided: flags.undecided ?? "fail",
    json: flags.json === true,
    reports: Object.fromEntries(files.filter(([, file]) => file !== undefined)),
  };
}

function together(
  flags: GateFlags,
  [one, other]: readonly [keyof GateFlags, keyof GateFlags],
  when: "always" | "never",
): void {
  const given = [one, other].filter((name) => flags[name] !== undefined);
  if (when === "always" && given.length === 1) {
    throw new CaissonError("E_USAGE", `--${one} and --${other} go together: one of them is missing`);
  }
  if (when === "never" && given.length === 2) {
    throw new CaissonError("E_USAGE", `--${one} and --${other} exclude each other`);
  }
}

/** What says how the gate's own clients and server behave, by the flag's name. */
const ownWork: Readonly<Partial<Record<keyof GateFlags, string>>> = {
  seed: "--seed",
  rate: "--rate",
  scenario: "--scenario",
  import: "--import",
  importClient: "--import-client",
  adminTokenFile: "--admin-token-file",
};

/** A flag that would be ignored is a mistake of whoever gave it. The token's are none: the environment may hold them for clients. */
function refuseWithAttach(flags: GateFlags): void {
  const given = Object.entries(ownWork).find(([name]) => Object.hasOwn(flags, name));
  if (!given) return;
  throw new CaissonError(
    "E_USAGE",
    `${given[1]} means nothing with --attach: the driver says what clients do; leave it out`,
  );
}

function readSeed(text: string): number {
  const seed = parseCount(text);
  if (seed === undefined) throw new InvalidArgumentError("Write a whole number from 0 to 2147483647.");
  return seed;
}
