// One trace from the visitor to the target, by real processes: `caisson serve`, `caisson http`, and a collector that takes
// both encodings of OTLP over HTTP. Logs, metrics and the target's own traceparent must all lead to it.

import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { freePort } from "../support/free-port.ts";
import { OtlpReceiver } from "../support/otlp-receiver.ts";
import { startCaisson } from "../support/run.ts";
import { until } from "../support/until.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const visitorSpan = "b7ad6b7169203331";

/** One GET on a connection of its own; resolves with the status when the answer is read. */
function get(
  port: number,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: "127.0.0.1", path, agent: false, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.once("error", reject).end();
  });
}

for (const protocol of ["http/protobuf", "http/json"] as const) {
  test(`visitor, server, client and target are one trace (${protocol})`, async () => {
    await using collector = await OtlpReceiver.start();
    let seen: IncomingHttpHeaders = {};
    const target = createServer((incoming, response) => {
      seen = incoming.headers;
      response.end("hello");
    });
    await new Promise<void>((resolve) => void target.listen(0, "127.0.0.1", resolve));
    target.unref();
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_BSP_SCHEDULE_DELAY: "100",
    };
    const args = ["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log-level", "debug", "--json"];
    await using server = startCaisson(args, {
      env: { ...env, OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test" },
    });
    const listening = await server.event("listening");
    const url = new URL(String(listening["url"]));
    const targetPort = (target.address() as AddressInfo).port;
    const clientAdmin = `127.0.0.1:${await freePort()}`;
    const clientArgs = ["http", String(targetPort), "--name", "demo", "--server", `ws://${url.host}`, "--json"];
    clientArgs.push("--admin", clientAdmin);
    await using client = startCaisson(clientArgs, { env: { ...env, OTEL_SERVICE_NAME: "shop-tunnel" } });
    await client.event("tunnel");

    const headers = { host: "demo.localhost", traceparent: `00-${traceId}-${visitorSpan}-01`, tracestate: "vendor=1" };
    assert.deepEqual(await get(Number(url.port), "/cart?secret=1", headers), { status: 200, body: "hello" });

    const edge = await collector.span("the server's", ({ kind }) => kind === 2);
    const call = await collector.span("the client's", ({ kind }) => kind === 3);
    assert.deepEqual([edge.service, edge.traceId, edge.parentSpanId], ["caisson-server", traceId, visitorSpan]);
    assert.deepEqual([call.service, call.traceId, call.parentSpanId], ["shop-tunnel", traceId, edge.spanId]);
    assert.equal(seen["traceparent"], `00-${traceId}-${call.spanId}-01`);
    assert.equal(seen["tracestate"], "vendor=1");
    assert.equal(edge.traceState, "vendor=1");
    assert.deepEqual(
      [
        edge.name,
        edge.attributes["url.path"],
        edge.attributes["url.query"],
        edge.attributes["http.response.status_code"],
      ],
      ["GET", "/cart", "REDACTED", 200],
    );
    assert.equal(call.attributes["url.full"], `http://localhost:${targetPort}/cart?REDACTED`);
    assert.ok(BigInt(edge.startNs) <= BigInt(edge.endNs));

    // The phases are children within their parent, one behind the other.
    await until(() => collector.childrenOf(edge).length === 4, { what: "the server's children" });
    const phases = ["wait for stream", "first byte", "body"].map((name) =>
      collector.childrenOf(edge).find((span) => span.name === name),
    );
    assert.equal(phases[0]?.startNs, edge.startNs);
    assert.equal(phases[1]?.startNs, phases[0]?.endNs);
    assert.equal(phases[2]?.startNs, phases[1]?.endNs);
    assert.equal(phases[2]?.endNs, edge.endNs);

    // Each refers to the session that carried it, as seen from its own side.
    for (const span of [edge, call]) {
      const [link] = span.links;
      const session = await collector.span("the session", ({ spanId }) => spanId === link?.spanId);
      assert.deepEqual([session.name, session.service], ["session connect", span.service]);
    }

    // From a log line and from a metric one reaches the trace.
    await server.complaint(new RegExp(`"trace_id":"${traceId}","span_id":"${edge.spanId}"`, "u"));
    const told = await client.event("request");
    assert.deepEqual([told["trace_id"], told["span_id"]], [traceId, call.spanId]);
    const admin = new URL(String(listening["admin"]));
    const accept = "application/openmetrics-text; version=1.0.0";
    const scrape = async ({ port, host } = admin): Promise<string> =>
      (await get(Number(port), "/metrics", { host, accept })).body;
    // A span counts as sent when the collector has answered.
    await until(async () => /^caisson_trace_spans_exported_total [1-9]/mu.test(await scrape()), {
      what: "spans are sent",
    });
    const metrics = await scrape();
    assert.match(metrics, new RegExp(`duration_seconds_bucket\\{le="[^"]+"\\} 1 # \\{trace_id="${traceId}"\\}`, "u"));
    assert.match(await scrape(new URL(`http://${clientAdmin}`)), new RegExp(`# \\{trace_id="${traceId}"\\}`, "u"));
    assert.match(metrics, /^caisson_trace_spans_dropped_total\{reason="queue_full"\} 0$/mu);
    assert.match(metrics, /^caisson_resources_live\{kind="span"\} 0$/mu);

    assert.equal((await client.stop()).code, 0);
    assert.equal((await server.stop()).code, 0);
    // The last spans are sent before the process ends.
    for (const name of ["session close", "drain"]) await collector.span(name, (span) => span.name === name);
    assert.deepEqual([...collector.encodings], [protocol === "http/json" ? "json" : "protobuf"]);
    await new Promise<void>((resolve) => void target.close(() => resolve()));
  });
}
