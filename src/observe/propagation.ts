// How traces are told to whoever is not Caisson, when that is not W3C Trace Context alone: by the propagator that the SDK
// made of OTEL_PROPAGATORS, or that an agent has registered. What it reads is a stranger's text, and what it writes is checked.

import type { TextMapPropagator, TextMapSetter } from "@opentelemetry/api";
import { createTraceState, isSpanContextValid, propagation, ROOT_CONTEXT, trace, TraceFlags } from "@opentelemetry/api";
import type { RefusedHead } from "../lifecycle/events.ts";
import type { RemoteParent } from "./trace-context.ts";
import { boundedTracestate } from "./trace-context.ts";

/** Fields of W3C Trace Context, which Caisson reads and writes by itself. */
const own: ReadonlySet<string> = new Set(["traceparent", "tracestate"]);
/** What is carried for others, and never changed here. */
const passing = "baggage";
/** Longer values are no trace fields, and not worth a propagator's regular expressions. */
const maxFieldLength = 512;
const fieldName = /^[\w!#$%&'*+.^`|~-]{1,64}$/u;
const fieldValue = /^[\u0020-\u007e]{1,512}$/u;

/** What a process does about trace fields: W3C Trace Context, nothing at all, or what a propagator says. */
export type Propagation = "w3c" | "none" | TextPropagation;

/** What the registered propagator comes to; `w3c` if there is none. */
export function registeredPropagation(): Propagation {
  const fields = propagation.fields().map((name) => name.toLowerCase());
  if (fields.length === 0) return "w3c";
  const told = fields.filter((name) => name !== passing);
  if (told.length === 0) return "none";
  const usual = told.includes("traceparent") && told.every((name) => own.has(name));
  return usual ? "w3c" : new TextPropagation(propagation, told);
}

/** A propagator for other fields than W3C's, or for those as well. */
export class TextPropagation {
  /** The request fields that it speaks by, lower-case: what others have said there goes no further. */
  readonly fields: readonly string[];
  readonly #propagator: Pick<TextMapPropagator, "extract" | "inject">;

  constructor(propagator: Pick<TextMapPropagator, "extract" | "inject">, fields: readonly string[]) {
    this.#propagator = propagator;
    this.fields = fields;
  }

  /** Who called; undefined for nobody, and for anything that makes no sense. */
  parentOf(request: Pick<RefusedHead, "fieldList">): RemoteParent | undefined {
    const context = this.#propagator.extract(ROOT_CONTEXT, request, {
      get: (carrier, name) => readable(carrier.fieldList(name.toLowerCase()), name),
      keys: () => [],
    });
    const caller = trace.getSpanContext(context);
    if (!caller || !isSpanContextValid(caller)) return undefined;
    return {
      traceId: caller.traceId.toLowerCase(),
      spanId: caller.spanId.toLowerCase(),
      sampled: (caller.traceFlags & TraceFlags.SAMPLED) !== 0,
      state: boundedTracestate(caller.traceState?.serialize()),
    };
  }

  /** Complete header lines. `except`: leave those of W3C out. */
  linesFor(context: RemoteParent, except?: "w3c"): string {
    const lines: string[] = [];
    const { traceId, spanId, sampled, state = "" } = context;
    const told = trace.setSpanContext(ROOT_CONTEXT, {
      traceId,
      spanId,
      traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
      ...(state === "" ? {} : { traceState: createTraceState(state) }),
    });
    this.#propagator.inject(told, lines, except === undefined ? allLines : foreignLines);
    return lines.join("");
  }
}

function readable(value: string | undefined, name: string): string | undefined {
  return value === undefined || (value.length > maxFieldLength && !own.has(name.toLowerCase())) ? undefined : value;
}

const allLines: TextMapSetter<string[]> = {
  set: (lines, name, value) => {
    if (fieldName.test(name) && fieldValue.test(value)) lines.push(`${name}: ${value}\r\n`);
  },
};

const foreignLines: TextMapSetter<string[]> = {
  set: (lines, name, value) => {
    if (!own.has(name.toLowerCase())) allLines.set(lines, name, value);
  },
};
