// Stand-ins for what the core hands to observers: plain objects with the same shape.

import type { ExchangeView, SessionView, TraceContext, UpstreamView } from "../../src/lifecycle/events.ts";
import type { Inventory, ResourceKind } from "../../src/lifecycle/resource.ts";
import type { MetricReadings, ResourceReading } from "../../src/observe/readings.ts";

/** An exchange that ended `ageMs` after it began. */
export function fakeExchange(options: {
  readonly method?: string;
  readonly status?: number;
  readonly target?: string;
  readonly ageMs?: number;
  readonly trace?: TraceContext;
  readonly role?: "server" | "client";
  readonly fields?: Readonly<Record<string, string>>;
  readonly saysUnrecorded?: boolean;
  readonly trusted?: boolean;
  readonly upstream?: UpstreamView;
  readonly session?: SessionView;
  readonly streamAtMs?: number;
  readonly firstByteAtMs?: number;
}): ExchangeView {
  const { ageMs = 5, trace } = options;
  const openedAtMs = performance.now() - ageMs;
  return {
    kind: "exchange",
    role: options.role ?? "server",
    openedAtMs,
    method: options.method ?? "GET",
    target: options.target ?? "/",
    host: "demo.localhost",
    tunnelName: "demo",
    field: (name) => options.fields?.[name],
    fieldList: (name) => options.fields?.[name],
    traceparent: options.fields?.["traceparent"],
    saysUnrecorded: options.saysUnrecorded ?? false,
    trusted: options.trusted ?? false,
    protocolVersion: "1.1",
    secure: false,
    upstream: options.upstream,
    session: options.session,
    streamAtMs: options.streamAtMs ?? openedAtMs,
    visitorAddress: "127.0.0.1",
    status: options.status ?? 200,
    firstByteAtMs: options.firstByteAtMs ?? openedAtMs + ageMs / 2,
    endedAtMs: openedAtMs + ageMs,
    bytesIn: 0,
    bytesOut: 3,
    trace,
  };
}

/** A session that was opened just now. */
export function fakeSession(peer: string = "127.0.0.1"): SessionView {
  return { kind: "session", role: "server", openedAtMs: performance.now(), rttMs: 0, peer };
}

/** A trace with this number as its id. */
export function fakeTrace(number: number): TraceContext {
  const traceId = number.toString(16).padStart(32, "0");
  const spanId = "00f067aa0ba902b7";
  return { traceId, spanId, sampled: true, headerLines: `traceparent: 00-${traceId}-${spanId}-01\r\n` };
}

/** Readings that tests change between scrapes. */
export class FakeReadings implements MetricReadings {
  held: Partial<Record<ResourceKind, number>> = { session: 0, tunnel: 0, stream: 0, exchange: 0, pipe: 0 };
  sizes: Record<string, number> = { "names.held": 0 };
  readonly ledgers: Partial<Record<ResourceKind, ResourceReading>> = {};
  inventoryReads = 0;

  inventory(): Inventory {
    this.inventoryReads += 1;
    return { held: this.held, probes: this.sizes };
  }

  resources(): Partial<Record<ResourceKind, ResourceReading>> {
    return this.ledgers;
  }
}
