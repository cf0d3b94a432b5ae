// `caisson serve`: starts the server and tells of it until it is stopped. Data goes to stdout (where it listens),
// what happens to it afterwards is logged to stderr; nothing is kept here.

import type { CaissonServer, ReloadInfo, ServeOptions } from "../../assemble/serve.ts";
import { serve } from "../../assemble/serve.ts";
import type { SnapshotNews } from "../../leaks/snapshot-entry.ts";
import { LogEvents } from "../../observe/log-events.ts";
import { Log } from "../../observe/log.ts";
import { Redactor } from "../../observe/redactor.ts";
import { stoppingText } from "../client-report.ts";
import { given } from "../given.ts";
import type { ServeInvocation } from "../invocation.ts";
import { loadResumeSecret } from "../resume-secret.ts";
import { answerSnapshotSignal, logSnapshot } from "../snapshot-lines.ts";
import type { Ending } from "../stop-signals.ts";
import { runUntilStopped } from "../stop-signals.ts";
import { adminOptions, defaultAdmin } from "./admin.ts";
import type { CommandContext } from "./context.ts";

/** Runs the command. Throws what serve() throws. */
export async function runServe(invocation: ServeInvocation, context: CommandContext): Promise<Ending> {
  const { output, env, signals, tracing } = context;
  const redactor = new Redactor();
  const log = new Log({
    format: invocation.json ? "json" : "pretty",
    level: invocation.logLevel,
    redactor,
    write: (line) => output.stderr.write(line),
  });
  const warn = (message: string): void => log.line("warn", message);
  const onToken = (token: string): void => redactor.know(token);
  const onSnapshot = (news: SnapshotNews): void => logSnapshot(log, news);
  answerSnapshotSignal(signals, warn);
  const start = async (signal: AbortSignal): Promise<CaissonServer> => {
    const resume = await loadResumeSecret(env);
    redactor.know(resume.secret);
    if (resume.warning !== undefined) warn(resume.warning);
    const admin = await adminOptions(invocation.admin, {
      role: "server",
      env,
      standard: defaultAdmin,
      onWarning: warn,
    });
    const server = await serve({
      ...serveOptions(invocation, resume.secret, signal),
      onWarning: warn,
      ...given("admin", admin && { ...admin, log, onToken, onSnapshot }),
      ...given("tracing", tracing),
      subscribers: [new LogEvents(log)],
    });
    if (admin?.orAnyPort === true && !server.admin.endsWith(`//${defaultAdmin}`)) {
      warn(`${defaultAdmin} is taken: the private listener is at ${server.admin}`);
    }
    server.on("reload", (info) => logReload(log, info));
    if (invocation.json)
      output.event({
        event: "listening",
        url: server.url,
        ...given("tls", server.tlsUrl || undefined),
        ...given("clients", server.clientsUrl === server.url ? undefined : server.clientsUrl),
        ...given("admin", server.admin || undefined),
      });
    else for (const line of welcome(server, invocation.tcpPorts)) output.line(line);
    return server;
  };
  let running: CaissonServer | undefined;
  const onHangup = (): void => void running?.reload();
  signals.on("SIGHUP", onHangup);
  try {
    return await runUntilStopped(async (signal) => (running = await start(signal)), {
      signals,
      onStopping: () => log.line("info", stoppingText),
    });
  } finally {
    signals.off("SIGHUP", onHangup);
  }
}

function logReload(log: Log, { what, count, error }: ReloadInfo): void {
  if (error) log.line("error", `what was read before stays in force: ${error.message}`);
  else log.line("info", `read ${what} again: ${count} in force`);
}

function welcome(server: CaissonServer, tcpPorts: string | undefined): string[] {
  const lines = [`listening on ${server.url} (give a service a URL with: ${clientCommand(server.clientsUrl)})`];
  if (server.tlsUrl !== "" && server.tlsUrl !== server.url) lines.push(`listening for TLS on ${server.tlsUrl}`);
  if (tcpPorts !== undefined) lines.push(`TCP tunnels may have the ports ${tcpPorts} (caisson tcp 22 --server ...)`);
  if (server.admin !== "") lines.push(`private listener on ${server.admin} (metrics, ledgers, snapshots)`);
  return lines;
}

function serveOptions(invocation: ServeInvocation, secret: string, signal: AbortSignal): ServeOptions {
  const { open, trustedProxies, tls, redirectHttps, proxyProtocol, limits } = invocation;
  return {
    open,
    trustedProxies,
    tls,
    redirectHttps,
    proxyProtocol,
    secret,
    limits,
    signal,
    ...given("listen", invocation.listen),
    ...given("listenTls", invocation.listenTls),
    ...given("listenClients", invocation.listenClients),
    ...given("tcpPorts", invocation.tcpPorts),
    ...given("domain", invocation.domain),
    ...given("publicUrl", invocation.publicUrl),
    ...given("catchAll", invocation.catchAll),
    ...given("tokens", invocation.tokens),
    ...given("drainMs", invocation.drainMs),
    ...given("drainDelayMs", invocation.drainDelayMs),
    ...given("readyDelayMs", invocation.readyDelayMs),
  };
}

/** What to type beside a service so that it gets a URL from the server at `url`. */
export function clientCommand(url: string): string {
  const server = url.replace(/^http/u, "ws").replace(/\/$/u, "");
  return server === "ws://127.0.0.1:8080" ? "caisson 8000" : `caisson 8000 --server ${server}`;
}
