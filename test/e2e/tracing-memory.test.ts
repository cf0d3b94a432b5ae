// What tracing must not keep: spans of exchanges that are over, held by sockets that live on. Also where the program around
// Caisson follows every asynchronous operation, and has started the roles inside of a span of its own.

import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { tracing as Sdk } from "@opentelemetry/sdk-node";
import { api, tracing as sdk } from "@opentelemetry/sdk-node";
import { connect, serve } from "../../src/index.ts";
import { until } from "../support/until.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** OpenTelemetry's own manager, in short: the active context follows every promise, timer and socket. */
class FollowingManager implements api.ContextManager {
  readonly #storage = new AsyncLocalStorage<api.Context>();
  active(): api.Context {
    return this.#storage.getStore() ?? api.ROOT_CONTEXT;
  }
  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: api.Context,
    call: F,
    self?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(context, () => call.apply(self as ThisParameterType<F>, args));
  }
  bind<T>(_: api.Context, target: T): T {
    return target;
  }
  enable(): this {
    return this;
  }
  disable(): this {
    return this;
  }
}

test("keep-alive sockets pin no span, no context and no exchange", async () => {
  api.context.setGlobalContextManager(new FollowingManager());
  let ended = 0;
  let collected = 0;
  const registry = new FinalizationRegistry(() => void (collected += 1));
  const processor: Sdk.SpanProcessor = {
    onStart: (span) => registry.register(span, undefined),
    onEnd: () => void (ended += 1),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const provider = new sdk.BasicTracerProvider({ spanProcessors: [processor] });
  api.trace.setGlobalTracerProvider(provider);
  const traceIds = new Set<string>();
  const target = createServer((incoming, response) => {
    traceIds.add(String(incoming.headers["traceparent"]).slice(3, 35));
    response.end("ok");
  });
  await new Promise<void>((resolve) => void target.listen(0, "127.0.0.1", resolve));
  const outer = provider.getTracer("program").startSpan("the program's own");
  const { server, tunnel } = await api.context.with(api.trace.setSpan(api.ROOT_CONTEXT, outer), async () => {
    const listening = await serve({ listen: "127.0.0.1:0", catchAll: "demo" });
    const options = { server: listening.url.replace("http", "ws"), target: (target.address() as AddressInfo).port };
    return { server: listening, tunnel: await connect({ ...options, name: "demo", limits: { poolIdleMs: 60_000 } }) };
  });
  outer.end();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const port = Number(new URL(server.url).port);
  const requests = 50;
  for (let n = 0; n < requests; n += 1) await ask(port, agent);
  await until(() => ended >= requests * 5, { what: "the spans have ended", detail: () => ended });
  // The roles were started inside of a span, but requests are not parts of that.
  assert.equal(traceIds.size, requests);
  assert.ok(!traceIds.has(outer.spanContext().traceId));
  // Both sockets live on; what refers to a span now does so for good. The latest exchange may still be on somebody's stack.
  await until(
    async () => {
      collect();
      await new Promise((resolve) => void setImmediate(resolve));
      return collected >= ended - 10;
    },
    { what: "the spans are collected", detail: () => ({ ended, collected }) },
  );
  agent.destroy();
  await tunnel.close({ force: true });
  await server.close({ force: true });
  await new Promise<void>((resolve) => {
    target.close(() => resolve());
    target.closeAllConnections();
  });
});

function ask(port: number, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: "127.0.0.1", agent, headers: { host: "demo.localhost" } }, (response) => {
      response.resume().once("end", resolve);
    });
    sent.once("error", reject).end();
  });
}
