// `caisson start`: publishes the tunnels of a configuration file through one session per server, and follows the file on
// SIGHUP. A file that has become wrong, or a tunnel that cannot be had, leaves what runs as it is.

import type { CaissonClient, NamedTunnelOptions } from "../../assemble/connect.ts";
import { connectTunnels } from "../../assemble/connect.ts";
import { CaissonError, messageOf } from "../../lifecycle/errors.ts";
import type { TunnelsReporter } from "../client-report.ts";
import { JsonReport, LineReport } from "../client-report.ts";
import { loadConfig } from "../config/config-file.ts";
import type { ConfigFile, ConfiguredTunnel } from "../config/config-shape.ts";
import { given } from "../given.ts";
import type { StartInvocation } from "../invocation.ts";
import { answerSnapshotSignal } from "../snapshot-lines.ts";
import type { Ending, Running } from "../stop-signals.ts";
import { runUntilStopped } from "../stop-signals.ts";
import { clientOptions, firstFailure, readText, tellingSnapshots } from "./client-ground.ts";
import type { CommandContext } from "./context.ts";

/** Runs the command. Throws what connectTunnels() throws, E_CONFIG for files that cannot be read, E_USAGE for unknown keys. */
export async function runStart(invocation: StartInvocation, context: CommandContext): Promise<Ending> {
  const { config, names } = invocation;
  const options = await clientOptions(invocation, context);
  const tunnels = await tunnelOptions(config, names);
  const report = invocation.json ? new JsonReport(context.output) : new LineReport(context.output);
  const notice = (text: string): void => report.notice(text);
  answerSnapshotSignal(context.signals, notice);
  let reloader: Reloader | undefined;
  const start = async (signal: AbortSignal): Promise<Running> => {
    const subscribers = [firstFailure(notice)];
    const more = { ...tellingSnapshots(options, notice), ...given("tracing", context.tracing) };
    const client = await connectTunnels({ ...options, ...more, tunnels, signal, subscribers });
    for (const tunnel of client.tunnels) report.tunnel(tunnel);
    tell(client, report);
    reloader = new Reloader({ client, config, names, report });
    return { close: (how) => client.close(how), ended: client.closed };
  };
  const onHangup = (): void => reloader?.ask();
  context.signals.on("SIGHUP", onHangup);
  try {
    return await runUntilStopped(start, { signals: context.signals, onStopping: () => report.stopping() });
  } finally {
    context.signals.off("SIGHUP", onHangup);
    report.close();
  }
}

function tell(client: CaissonClient, report: TunnelsReporter): void {
  client.on("tunnel", (facts) => report.tunnel(facts));
  client.on("tunnelLost", ({ name, error }) =>
    report.lost({ name: name ?? "", code: error.code, message: error.message }),
  );
  client.on("health", (what) => report.health(what));
  client.on("request", (request) => report.request(request));
  client.on("disconnected", (what) => report.disconnected(what));
}

interface ReloaderOptions {
  readonly client: CaissonClient;
  readonly config: ConfigFile;
  readonly names: readonly string[];
  readonly report: TunnelsReporter;
}

/** Reads the file again when it is asked to, one time after the other. */
class Reloader {
  readonly #options: ReloaderOptions;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(options: ReloaderOptions) {
    this.#options = options;
  }

  ask(): void {
    this.#again = this.#running !== undefined;
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    do {
      this.#again = false;
      await this.#reload();
    } while (this.#again);
    this.#running = undefined;
  }

  async #reload(): Promise<void> {
    const { client, config, names, report } = this.#options;
    try {
      const next = await loadConfig(config.file);
      const { added, removed, changed } = client.update(await tunnelOptions(next, names));
      report.reloaded({ added, removed, changed });
      const other = changedKeys(config.client, next.client);
      if (other.length > 0) {
        const what = `settings beside the tunnels have changed (${other.join(", ")})`;
        report.notice(`${what}: they take effect when caisson start is started again`);
      }
    } catch (error) {
      report.notice(`the tunnels stay as they were: ${messageOf(error)}`);
    }
  }
}

/** The keys whose values differ. */
function changedKeys(before: ConfigFile["client"], after: ConfigFile["client"]): string[] {
  const values = (of: ConfigFile["client"]): Map<string, string> =>
    new Map(Object.entries(of).map(([key, value]) => [key, JSON.stringify(value)]));
  const [old, now] = [values(before), values(after)];
  return [...new Set([...old.keys(), ...now.keys()])].filter((key) => old.get(key) !== now.get(key));
}

/** The tunnels with these keys, or all. Throws E_USAGE for an unknown key, E_CONFIG if there is none at all. */
async function tunnelOptions(config: ConfigFile, names: readonly string[]): Promise<NamedTunnelOptions[]> {
  const { file, tunnels } = config;
  const known = tunnels.map(({ key }) => key);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new CaissonError("E_USAGE", `${file} has no tunnel "${unknown}"; it has ${known.join(", ") || "none"}`);
  }
  const wanted = tunnels.filter(({ key }) => names.length === 0 || names.includes(key));
  if (wanted.length === 0) throw new CaissonError("E_CONFIG", `${file} has no tunnels: write some under "tunnels:"`);
  return Promise.all(wanted.map(withCertificates));
}

async function withCertificates({ targetCaFile, ...tunnel }: ConfiguredTunnel): Promise<NamedTunnelOptions> {
  if (targetCaFile === undefined) return tunnel;
  return { ...tunnel, targetCa: await readText(targetCaFile, "target-ca") };
}
