// `caisson http`: gives one target a public URL and tells of it until it ends. Loads the client only, never the server.

import type { ConnectOptions } from "../../assemble/connect.ts";
import { connect, defaultServer } from "../../assemble/connect.ts";
import { Deadlines } from "../../lifecycle/deadlines.ts";
import { noEvents } from "../../lifecycle/events.ts";
import type { ClientReporter } from "../client-report.ts";
import { JsonReport, LineReport } from "../client-report.ts";
import { given } from "../given.ts";
import type { HttpInvocation } from "../invocation.ts";
import { answerSnapshotSignal } from "../snapshot-lines.ts";
import { StatusPanel } from "../status-panel.ts";
import type { Ending, Running } from "../stop-signals.ts";
import { runUntilStopped } from "../stop-signals.ts";
import { clientOptions, firstFailure, readText, tellingSnapshots } from "./client-ground.ts";
import type { CommandContext } from "./context.ts";

/** Runs the command. Throws what connect() throws, and E_CONFIG for files that cannot be read. */
export async function runHttp(invocation: HttpInvocation, context: CommandContext): Promise<Ending> {
  const options = await connectOptions(invocation, context);
  const report = reporterFor(invocation, context);
  const notice = (text: string): void => report.notice(text);
  answerSnapshotSignal(context.signals, notice);
  const start = async (signal: AbortSignal): Promise<Running> => {
    const subscribers = [firstFailure(notice)];
    const tunnel = await connect({
      ...options,
      ...tellingSnapshots(options, notice),
      ...given("tracing", context.tracing),
      signal,
      subscribers,
    });
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

function reporterFor(invocation: HttpInvocation, { output }: CommandContext): ClientReporter {
  if (invocation.json) return new JsonReport(output);
  if (!output.interactive) return new LineReport(output);
  const server = invocation.servers.join(", ") || defaultServer;
  return new StatusPanel({ output, deadlines: new Deadlines({ events: noEvents }), target: invocation.target, server });
}

async function connectOptions(invocation: HttpInvocation, context: CommandContext): Promise<ConnectOptions> {
  const { target, targetInsecure, targetCaFile } = invocation;
  return {
    ...(await clientOptions(invocation, context)),
    target,
    type: invocation.type,
    ...given("port", invocation.port),
    targetInsecure,
    ...given("name", invocation.name),
    ...given("targetCa", targetCaFile === undefined ? undefined : await readText(targetCaFile, "--target-ca")),
    ...given("hostHeader", invocation.hostHeader),
  };
}
