// Spans as tests look at them, read from OTLP requests in either encoding. The schema is the part of
// opentelemetry-proto's trace.proto that tests ask for; unknown fields are skipped, as protobuf has it.

import protobuf from "protobufjs";

/** A span that arrived. */
export interface ReceivedSpan {
  readonly service: string;
  readonly scope: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first of a trace. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  /** Nanoseconds since the epoch. */
  readonly startNs: string;
  readonly endNs: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** 0 unset, 1 ok, 2 error. */
  readonly status: number;
}

const schema = `
syntax = "proto3";
message Request { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message Scope { string name = 1; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5;
  int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
  repeated Link links = 13; Status status = 15;
}
message Link { bytes trace_id = 1; bytes span_id = 2; }
message Status { string message = 2; int32 code = 3; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue {
  oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; }
}
`;

const requestType = protobuf.parse(schema).root.lookupType("Request");

/** Reads one export request. Throws for what is none. */
export function spansOf(body: Buffer, encoding: "protobuf" | "json"): ReceivedSpan[] {
  const request: Json =
    encoding === "json"
      ? (JSON.parse(body.toString("utf8")) as Json)
      : requestType.toObject(requestType.decode(body), { bytes: Array, longs: String });
  return listOf(request["resourceSpans"]).flatMap((resourceSpans) => {
    const service = textOf(attributesOf(objectOf(resourceSpans["resource"])["attributes"])["service.name"]);
    return listOf(resourceSpans["scopeSpans"]).flatMap((scopeSpans) => {
      const scope = textOf(objectOf(scopeSpans["scope"])["name"]);
      return listOf(scopeSpans["spans"]).map((span) => receivedSpan(span, { service, scope }));
    });
  });
}

type Json = Record<string, unknown>;

function receivedSpan(span: Json, whose: { readonly service: string; readonly scope: string }): ReceivedSpan {
  return {
    ...whose,
    traceId: idOf(span["traceId"]),
    spanId: idOf(span["spanId"]),
    parentSpanId: idOf(span["parentSpanId"]),
    traceState: textOf(span["traceState"]),
    name: textOf(span["name"]),
    kind: Number(span["kind"]),
    startNs: textOf(span["startTimeUnixNano"]),
    endNs: textOf(span["endTimeUnixNano"]),
    attributes: attributesOf(span["attributes"]),
    links: listOf(span["links"]).map((link) => ({ traceId: idOf(link["traceId"]), spanId: idOf(link["spanId"]) })),
    status: Number(objectOf(span["status"])["code"] ?? 0),
  };
}

function attributesOf(value: unknown): Record<string, string | number | boolean> {
  return Object.fromEntries(
    listOf(value).map((pair) => {
      const { stringValue, boolValue, intValue, doubleValue } = objectOf(pair["value"]);
      if (intValue !== undefined) return [textOf(pair["key"]), Number(intValue)];
      return [textOf(pair["key"]), (stringValue ?? boolValue ?? doubleValue ?? "") as string | number | boolean];
    }),
  );
}

/** JSON has ids in hex, protobuf as bytes. */
function idOf(value: unknown): string {
  return Array.isArray(value) ? Buffer.from(value as number[]).toString("hex") : textOf(value);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function listOf(value: unknown): Json[] {
  return Array.isArray(value) ? (value as Json[]) : [];
}

function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}
