// An agent of the user's, whose sampler decides: a stranger's trace is no parent of ours, so that neither its flag nor its id
// has any say, and a link leads there. Nothing is asked of the SDK but spans that are begun and ended.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { tracing as Sdk } from "@opentelemetry/sdk-node";
import { api, tracing as sdk } from "@opentelemetry/sdk-node";
import type { RecordedSpan } from "../support/recorded-spans.ts";
import { RecordedSpans } from "../support/recorded-spans.ts";
import type { RigOptions } from "../support/rig.ts";
import { tracedRigs } from "../support/traced-rig.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const visitorSpan = "b7ad6b7169203331";

/** What the agent's sampler is asked; it may be another one for each test. */
class AskedSampler implements Sdk.Sampler {
  behind: Sdk.Sampler = new sdk.AlwaysOnSampler();
  readonly asked: { readonly name: string; readonly kind: api.SpanKind; readonly attributes: api.Attributes }[] = [];

  shouldSample(...question: Parameters<Sdk.Sampler["shouldSample"]>): Sdk.SamplingResult {
    const [, , name, kind, attributes] = question;
    this.asked.push({ name, kind, attributes });
    return this.behind.shouldSample(...question);
  }

  toString(): string {
    return "asked";
  }
}

const sampler = new AskedSampler();
const recorded = RecordedSpans.register(sampler);
const onRig = tracedRigs(recorded);
const { CLIENT, SERVER } = api.SpanKind;

/** Sends one request with this flag; answers the `traceparent` that the target saw. */
async function seen(flags: string, options: RigOptions = {}): Promise<string> {
  let traceparent = "";
  sampler.asked.length = 0;
  const target: RigOptions["target"] = (incoming, response) => {
    traceparent = String(incoming.headers["traceparent"]);
    response.end();
  };
  await onRig({ ...options, target }, async (rig) => {
    await rig.fetch("/", { headers: { traceparent: `00-${traceId}-${visitorSpan}-${flags}`, tracestate: "a=1" } });
    await rig.quiet();
  });
  return traceparent;
}

function idsOf(span: RecordedSpan | undefined): readonly [trace: string | undefined, span: string | undefined] {
  const context = span?.spanContext();
  return [context?.traceId, context?.spanId];
}

const nothing = new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(0) });
const everything: Readonly<Record<string, Sdk.Sampler>> = {
  always_on: new sdk.AlwaysOnSampler(),
  "parentbased, a ratio of 1": new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(1) }),
};

for (const flags of ["01", "00"]) {
  for (const [name, behind] of Object.entries(everything)) {
    test(`an agent with ${name} records a stranger with ${flags}: a trace of our own, and a link`, async () => {
      sampler.behind = behind;
      const traceparent = await seen(flags);
      const [server, client] = [await recorded.server(), await recorded.client()];
      assert.equal(server.parentSpanContext, undefined);
      assert.notEqual(idsOf(server)[0], traceId);
      const [link] = server.links;
      assert.deepEqual([link?.context.traceId, link?.context.spanId], [traceId, visitorSpan]);
      assert.equal(link?.context.traceFlags, Number(flags));
      assert.equal(client.parentSpanContext?.spanId, idsOf(server)[1]);
      assert.equal(traceparent, `00-${idsOf(server)[0]}-${idsOf(client)[1]}-01`);
      // Each exchange is asked about once, with all that is known of it.
      const exchanges = sampler.asked.filter(({ kind }) => kind === SERVER || kind === CLIENT);
      assert.deepEqual(
        exchanges.map((asked) => [asked.name, asked.kind, asked.attributes["http.request.method"]]),
        [
          ["GET", SERVER, "GET"],
          ["GET", CLIENT, "GET"],
        ],
      );
      const names = new Set([
        "GET",
        "wait for stream",
        "first byte",
        "body",
        "session connect",
        "session close",
        "drain",
      ]);
      for (const asked of sampler.asked) assert.ok(names.has(asked.name), asked.name);
    });
  }

  test(`a parent-based agent that records nothing stays so for a stranger with ${flags}`, async () => {
    sampler.behind = nothing;
    const traceparent = await seen(flags);
    assert.equal(recorded.started, 0);
    assert.match(traceparent, /^00-[\da-f]{32}-[\da-f]{16}-00$/u);
    assert.ok(!traceparent.includes(traceId));
  });

  test(`beside the target too, where the server does not trace: ${flags}`, async () => {
    const serve = { tracing: false } as const;
    sampler.behind = nothing;
    assert.match(await seen(flags, { serve }), /^00-[\da-f]{32}-[\da-f]{16}-00$/u);
    assert.equal(recorded.started, 0);
    sampler.behind = new sdk.AlwaysOnSampler();
    const traceparent = await seen(flags, { serve });
    const client = await recorded.client();
    assert.equal(client.parentSpanContext, undefined);
    assert.equal(client.links[0]?.context.spanId, visitorSpan);
    assert.equal(traceparent, `00-${idsOf(client)[0]}-${idsOf(client)[1]}-01`);
  });
}

test("a trusted proxy's trace goes on, and its flag is the sampler's to weigh", async () => {
  sampler.behind = nothing;
  const serve = { trustedProxies: ["127.0.0.1"] };
  const traceparent = await seen("01", { serve });
  const [server, client] = [await recorded.server(), await recorded.client()];
  assert.deepEqual([idsOf(server)[0], server.parentSpanContext?.spanId], [traceId, visitorSpan]);
  assert.equal(traceparent, `00-${traceId}-${idsOf(client)[1]}-01`);
  assert.match(await seen("00", { serve }), new RegExp(`^00-${traceId}-[\\da-f]{16}-00$`, "u"));
  assert.equal(recorded.started, 0);
});
