// The process behind a RoleProcess: plays a server, a client or a crowd of clients by order, and ends with its parent.

import { join } from "node:path";
import type { AdminOptions } from "../../src/assemble/admin-options.ts";
import type { TracingChoice } from "../../src/assemble/tracing-options.ts";
import { tracerRegistered } from "../../src/assemble/tracing-options.ts";
import type { CaissonTunnel } from "../../src/assemble/connect.ts";
import { connect } from "../../src/assemble/connect.ts";
import { serve } from "../../src/assemble/serve.ts";
import { messageOf, unreachable } from "../../src/lifecycle/errors.ts";
import { Crowd } from "./crowd.ts";
import type { Answers, Order, RolePlace, TracingOrder } from "./role-orders.ts";
import { isQuestion } from "./role-orders.ts";

/** Idle sessions stay silent during a bench: what they would say is not what is measured. */
const silent = { pingMs: 600_000, deadAfterMs: 1_800_000 };
const tunnels: CaissonTunnel[] = [];
const crowd = new Crowd();
let recordsAll = false;
/** What decides whether a request is recorded: by chance, unless all are. */
const luck = (): number => (recordsAll ? 0 : Math.random());

process.on("message", (message: unknown) => {
  if (!isQuestion(message)) return;
  const { id, order } = message;
  carryOut(order).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, error: messageOf(error) }),
  );
});
process.once("disconnect", () => process.exit(1));
if (!process.connected) process.exit(1);

function carryOut(order: Order): Promise<Answers[Order["do"]]> {
  switch (order.do) {
    case "serve":
      return startServer(order);
    case "connect":
      return startClient(order);
    case "crowd":
      return crowd.gather(order).then((count) => ({ tunnels: count }));
    case "standing":
      return Promise.resolve(crowd.state());
    case "disperse":
      return disperse();
    case "cpu":
      return Promise.resolve({ ms: cpuMs() });
    case "flush":
      return flushSpans().then(() => ({ flushed: true }));
    case "record":
      recordsAll = order.which === "all";
      return Promise.resolve({ which: order.which });
    case "loop":
      return Promise.resolve({ ms: performance.eventLoopUtilization().active });
    default:
      return unreachable(order);
  }
}

/** The SDK is the one that the command line loads. */
async function tracingOf(order: TracingOrder | undefined): Promise<{ readonly tracing?: false | TracingChoice }> {
  if (order === undefined) return {};
  const { endpoint, ratio } = order;
  if (endpoint !== undefined && !tracerRegistered()) {
    process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint;
    // Spans are sent when there are enough, or by order, and so by all that a measurement counts: never by the clock.
    process.env["OTEL_BSP_SCHEDULE_DELAY"] = "600000";
    const { startSdk } = await import("../../src/cli/otel-sdk.ts");
    const onTrouble = (text: string): void => void process.stderr.write(`${text}\n`);
    await startSdk({ env: process.env, service: "bench", queries: "redacted", onTrouble });
  }
  if (ratio === 0) return { tracing: false };
  const { RatioSampling } = await import("../../src/observe/sampling.ts");
  return { tracing: { sampling: new RatioSampling({ ratio, obeysParent: true }, luck) } };
}

/** What recording has cost includes the sending, which may be due only later. */
async function flushSpans(): Promise<void> {
  if (!tracerRegistered()) return;
  const { ProxyTracerProvider, trace } = await import("@opentelemetry/api");
  const provider = trace.getTracerProvider();
  const sdk: unknown = provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider;
  if (canFlush(sdk)) await sdk.forceFlush();
}

function canFlush(sdk: unknown): sdk is { forceFlush(): Promise<void> } {
  return typeof sdk === "object" && sdk !== null && "forceFlush" in sdk;
}

async function startServer({ admin, folder, tracing }: Extract<Order, { do: "serve" }>): Promise<RolePlace> {
  const watch = adminOf(folder);
  // Watched as by default, but never so late that requests are refused: a busy machine is no result of a bench.
  const busy = { maxLoopDelayMs: 60_000 };
  const limits = { ...silent, ...busy, maxTunnelsPerSession: 1_000, maxVisitorsPerAddress: 100_000 };
  const options = { listen: "127.0.0.1:0", catchAll: "bench", limits };
  const server = await serve({ ...options, ...(await tracingOf(tracing)), ...(admin ? { admin: watch.options } : {}) });
  return { url: server.url, admin: server.admin, token: watch.token() };
}

async function startClient(order: Extract<Order, { do: "connect" }>): Promise<RolePlace> {
  const watch = adminOf(order.folder);
  const options = { server: order.server, target: order.target, name: "bench", limits: silent };
  const tunnel = await connect({
    ...options,
    ...(await tracingOf(order.tracing)),
    ...(order.admin ? { admin: watch.options } : {}),
  });
  tunnels.push(tunnel);
  return { url: tunnel.url, admin: tunnel.admin, token: watch.token() };
}

async function disperse(): Promise<{ tunnels: number }> {
  const leaving = tunnels.splice(0);
  await Promise.all([crowd.disperse(), ...leaving.map((tunnel) => tunnel.close())]);
  return { tunnels: crowd.state().tunnels };
}

function adminOf(folder: string): { readonly options: AdminOptions; readonly token: () => string } {
  let known = "";
  const onToken = (token: string): void => void (known = token);
  const snapshotFolder = join(folder, `snapshots-${process.pid}`);
  return { options: { listen: "127.0.0.1:0", snapshotFolder, onToken }, token: () => known };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
