// `caisson http`: gives one target a public URL and tells of it until it ends. Loads the client only, never the server.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ConnectOptions } from "../../assemble/connect.ts";
import { connect, defaultServer } from "../../assemble/connect.ts";
import { Deadlines } from "../../lifecycle/deadlines.ts";
import { CaissonError, messageOf } from "../../lifecycle/errors.ts";
import type { TunnelEvents } from "../../lifecycle/events.ts";
import { noEvents } from "../../lifecycle/events.ts";
import type { ClientReporter } from "../client-report.ts";
import { JsonReport, LineReport } from "../client-report.ts";
import { given } from "../given.ts";
import type { HttpInvocation } from "../invocation.ts";
import { NameKeys } from "../name-keys.ts";
import { stateDirectory } from "../resume-secret.ts";
import { StatusPanel } from "../status-panel.ts";
import type { Ending, Running } from "../stop-signals.ts";
import { runUntilStopped } from "../stop-signals.ts";
import { adminOptions } from "./admin.ts";
import type { CommandContext } from "./context.ts";

/** Runs the command. Throws what connect() throws, and E_CONFIG for files that cannot be read. */
export async function runHttp(invocation: HttpInvocation, context: CommandContext): Promise<Ending> {
  const options = await connectOptions(invocation, context);
  const report = reporterFor(invocation, context);
  const start = async (signal: AbortSignal): Promise<Running> => {
    const tracing = given("tracing", context.tracing);
    const tunnel = await connect({ ...options, ...tracing, signal, subscribers: [firstFailure(report)] });
    report.tunnel(tunnel);
    tunnel.on("tunnel", (facts) => report.tunnel(facts));
    tunnel.on("request", (request) => report.request(request));
    tunnel.on("disconnected", (what) => report.disconnected(what));
    return { close: (how) => tunnel.close(how), ended: tunnel.closed };
  };
  try {
    return await runUntilStopped(start, { signals: context.signals, onStopping: () => report.stopping() });
  } finally {
    report.close();
  }
}

/** Says once that the first login failed and is being repeated; everything later comes as an event of the tunnel. */
function firstFailure(report: ClientReporter): TunnelEvents {
  let told = false;
  const sessionConnected = (result: string): void => {
    if (!told && result !== "ok") report.notice(`no session yet (${result}); trying again`);
    told = true;
  };
  return { ...noEvents, sessionConnected };
}

function reporterFor(invocation: HttpInvocation, { output }: CommandContext): ClientReporter {
  if (invocation.json) return new JsonReport(output);
  if (!output.interactive) return new LineReport(output);
  const server = invocation.servers.join(", ") || defaultServer;
  return new StatusPanel({ output, deadlines: new Deadlines({ events: noEvents }), target: invocation.target, server });
}

async function connectOptions(invocation: HttpInvocation, { env, output }: CommandContext): Promise<ConnectOptions> {
  const { servers, tokenFile, caFile, targetCaFile, target, plaintext, targetInsecure, limits } = invocation;
  const token = tokenFile === undefined ? env["CAISSON_TOKEN"] : (await readText(tokenFile, "--token-file")).trim();
  return {
    target,
    keyring: new NameKeys(join(stateDirectory(env), "names.json")),
    plaintext,
    targetInsecure,
    limits,
    ...given(
      "admin",
      await adminOptions(invocation.admin, { env, standard: "off", onWarning: (text) => output.note(text) }),
    ),
    ...(servers.length === 0 ? {} : { server: servers }),
    ...given("name", invocation.name),
    ...given("token", token === "" ? undefined : token),
    ...given("ca", caFile === undefined ? undefined : await readText(caFile, "--ca")),
    ...given("targetCa", targetCaFile === undefined ? undefined : await readText(targetCaFile, "--target-ca")),
    ...given("hostHeader", invocation.hostHeader),
    ...given("mask", invocation.mask),
  };
}

async function readText(file: string, flag: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new CaissonError("E_CONFIG", `cannot read the file of ${flag}: ${messageOf(error)}`, { cause: error });
  }
}
