// An OpenTelemetry SDK for tests inside of one process: registered once, it keeps every span that ended, in order, and
// counts those that did not.

import type { tracing as Sdk } from "@opentelemetry/sdk-node";
import { api, tracing as sdk } from "@opentelemetry/sdk-node";
import { until } from "./until.ts";

/** A span that ended. */
export type RecordedSpan = Sdk.ReadableSpan;

/** The registered SDK's memory. */
export class RecordedSpans {
  readonly ended: RecordedSpan[] = [];
  started = 0;

  /** Registers the SDK; once per process. */
  static register(sampler?: Sdk.Sampler): RecordedSpans {
    const recorded = new RecordedSpans();
    const processor: Sdk.SpanProcessor = {
      onStart: () => void (recorded.started += 1),
      onEnd: (span) => void recorded.ended.push(span),
      forceFlush: () => Promise.resolve(),
      shutdown: () => Promise.resolve(),
    };
    const provider = new sdk.BasicTracerProvider({ spanProcessors: [processor], ...(sampler && { sampler }) });
    api.trace.setGlobalTracerProvider(provider);
    return recorded;
  }

  /** Forgets what ended before. */
  clear(): void {
    this.ended.length = 0;
    this.started = 0;
  }

  /** Waits for a span that ended. */
  async span(what: string, matches: (span: RecordedSpan) => boolean): Promise<RecordedSpan> {
    await until(() => this.ended.some(matches), {
      what: `the span: ${what}`,
      detail: () => this.ended.map(({ name, kind, attributes }) => ({ name, kind, attributes })),
    });
    const found = this.ended.find(matches);
    if (!found) throw new Error(`no such span: ${what}`);
    return found;
  }

  /** Waits for the span of the visitor's edge. */
  server(): Promise<RecordedSpan> {
    return this.span("server", ({ kind }) => kind === api.SpanKind.SERVER);
  }

  /** Waits for the span around the call to the target. */
  client(): Promise<RecordedSpan> {
    return this.span("client", ({ kind }) => kind === api.SpanKind.CLIENT);
  }

  /** The names of a span's children. */
  childrenOf(parent: RecordedSpan): string[] {
    const { spanId } = parent.spanContext();
    return this.ended.filter(({ parentSpanContext }) => parentSpanContext?.spanId === spanId).map(({ name }) => name);
  }
}
