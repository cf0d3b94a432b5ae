// `caisson serve`: starts the server and tells of it until it is stopped. Data goes to stdout (where it listens),
// what happens to it afterwards is logged to stderr; nothing is kept here.

import type { CaissonServer, ServeOptions, TunnelInfo } from "../../assemble/serve.ts";
import { serve } from "../../assemble/serve.ts";
import { stoppingText } from "../client-report.ts";
import { given } from "../given.ts";
import type { ServeInvocation } from "../invocation.ts";
import { Log } from "../log.ts";
import { loadResumeSecret } from "../resume-secret.ts";
import type { Ending } from "../stop-signals.ts";
import { runUntilStopped } from "../stop-signals.ts";
import type { CommandContext } from "./context.ts";

/** Runs the command. Throws what serve() throws. */
export async function runServe(invocation: ServeInvocation, context: CommandContext): Promise<Ending> {
  const { output, env, signals } = context;
  const log = new Log(output, invocation.json ? "json" : "pretty");
  const start = async (signal: AbortSignal): Promise<CaissonServer> => {
    const resume = await loadResumeSecret(env);
    if (resume.warning !== undefined) log.write("warn", resume.warning);
    const server = await serve(serveOptions(invocation, resume.secret, signal));
    server.on("tunnel", ({ name, url }: TunnelInfo) => log.write("info", `tunnel ${url}`, { name }));
    server.on("tunnelClosed", ({ name, url, reason }: TunnelInfo & { readonly reason: string }) => {
      log.write("info", `tunnel ${url} closed: ${reason}`, { name, reason });
    });
    if (invocation.json) output.event({ event: "listening", url: server.url });
    else output.line(`listening on ${server.url} (give a service a URL with: ${clientCommand(server.url)})`);
    return server;
  };
  return runUntilStopped(start, { signals, onStopping: () => log.write("info", stoppingText) });
}

function serveOptions(invocation: ServeInvocation, secret: string, signal: AbortSignal): ServeOptions {
  const { open, trustedProxies, limits } = invocation;
  return {
    open,
    trustedProxies,
    secret,
    limits,
    signal,
    ...given("listen", invocation.listen),
    ...given("domain", invocation.domain),
    ...given("publicUrl", invocation.publicUrl),
    ...given("catchAll", invocation.catchAll),
    ...given("drainMs", invocation.drainMs),
    ...given("drainDelayMs", invocation.drainDelayMs),
  };
}

/** What to type beside a service so that it gets a URL from the server at `url`. */
export function clientCommand(url: string): string {
  const server = url.replace(/^http/u, "ws").replace(/\/$/u, "");
  return server === "ws://127.0.0.1:8080" ? "caisson 8000" : `caisson 8000 --server ${server}`;
}
