// `caisson demo`: a server, a client and a sample target in one process. Ends all of them together: first the target's
// endless streams, then the client, so that what else is in flight can still be answered, then the rest.

import type { AdminOptions } from "../../assemble/admin-options.ts";
import { connect } from "../../assemble/connect.ts";
import type { CaissonServer } from "../../assemble/serve.ts";
import { serve } from "../../assemble/serve.ts";
import type { TracingChoice } from "../../assemble/tracing-options.ts";
import { Deadlines } from "../../lifecycle/deadlines.ts";
import { CaissonError, systemCodeOf } from "../../lifecycle/errors.ts";
import { noEvents } from "../../lifecycle/events.ts";
import { stoppingText } from "../client-report.ts";
import { startSampleTarget } from "../demo/sample-target.ts";
import { given } from "../given.ts";
import type { DemoInvocation } from "../invocation.ts";
import type { Output } from "../output.ts";
import { answerSnapshotSignal, snapshotText } from "../snapshot-lines.ts";
import type { Ending, Running } from "../stop-signals.ts";
import { runUntilStopped } from "../stop-signals.ts";
import { defaultAdmin } from "./admin.ts";
import type { CommandContext } from "./context.ts";

/** Runs the command. Throws what serve() and connect() throw. */
export async function runDemo(
  invocation: DemoInvocation,
  { output, signals, tracing }: CommandContext,
): Promise<Ending> {
  answerSnapshotSignal(signals, (text) => output.note(text));
  const onStopping = (): void => output.note(stoppingText);
  return runUntilStopped((signal) => startDemo({ invocation, output, signal, tracing }), { signals, onStopping });
}

interface DemoStart {
  readonly invocation: DemoInvocation;
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly tracing: TracingChoice | undefined;
}

async function startDemo(start: DemoStart): Promise<Running> {
  const { invocation, output, signal } = start;
  const tracing = given("tracing", start.tracing);
  const stack: ((options: { readonly force?: boolean }) => Promise<void>)[] = [];
  const close = async (options: { readonly force?: boolean } = {}): Promise<void> => {
    for (const part of stack.toReversed()) await part(options);
  };
  try {
    const target = await startSampleTarget(new Deadlines({ events: noEvents }));
    stack.push(() => target.close());
    const server = await startServer(start);
    stack.push((options) => server.close(options));
    const admin = server.signedInUrl();
    if (invocation.json) output.event({ event: "listening", url: server.url, admin });
    const tunnel = await connect({
      server: server.url.replace(/^http/u, "ws"),
      target: target.port,
      name: invocation.name,
      signal,
      ...tracing,
    });
    stack.push((options) => tunnel.close(options));
    stack.push(async () => target.endStreams());
    const { name, url, direct } = tunnel;
    const targetUrl = `http://127.0.0.1:${target.port}`;
    if (invocation.json) output.event({ event: "tunnel", name, url, direct, target: targetUrl });
    else for (const line of welcome({ url, direct: direct.url, target: targetUrl, admin })) output.line(line);
    return { close, ended: tunnel.closed };
  } catch (error) {
    await close({ force: true });
    throw error;
  }
}

async function startServer({ invocation, output, signal, tracing }: DemoStart): Promise<CaissonServer> {
  // Free of files: the demo's token lives as long as the demo, and the URL that is printed signs in by itself.
  const admin: AdminOptions = {
    listen: defaultAdmin,
    orAnyPort: true,
    snapshotOnSignal: true,
    onSnapshot: (news) => output.note(snapshotText(news)),
  };
  const options = { catchAll: invocation.name, signal, admin, ...given("tracing", tracing) };
  try {
    return await serve({ ...options, ...given("listen", invocation.listen) });
  } catch (error) {
    // An address that was asked for is not replaced by another.
    if (invocation.listen !== undefined || !isTaken(error)) throw error;
    output.note("127.0.0.1:8080 is taken: the demo listens on a free port instead");
    return serve({ ...options, listen: "127.0.0.1:0" });
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof CaissonError && error.code === "E_LISTEN" && systemCodeOf(error.cause) === "EADDRINUSE";
}

interface Place {
  readonly url: string;
  readonly direct: string;
  readonly target: string;
  readonly admin: string;
}

function welcome(place: Place): string[] {
  const slash = (url: string): string => (url.endsWith("/") ? url : `${url}/`);
  return [
    "The Caisson demo is running: a server, a client and a sample target.",
    "",
    `  public URL   ${slash(place.url)}`,
    `  without DNS  ${slash(place.direct)}`,
    `  the target   ${slash(place.target)}`,
    `  admin        ${place.admin}`,
    "",
    "Open the first in a browser, and the last for the live page. Ctrl-C ends it.",
  ];
}
