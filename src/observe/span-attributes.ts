// What spans say of an exchange, by OpenTelemetry's stable HTTP conventions (and `caisson.*` for what is ours). Pure.
// Names are fixed, values are cut, and what may hold a secret (queries, credentials) stays out unless it is asked for.

import type { Attributes } from "@opentelemetry/api";
import type { ExchangeOutcome, ExchangeView } from "../lifecycle/events.ts";
import { knownMethods } from "./exchange-counts.ts";

/** The longest path in a span, in characters. */
export const maxPathLength = 1_024;
/** The longest of other values, in characters. */
export const maxValueLength = 256;

/** Whether queries are recorded; they carry secrets more often than they explain anything. */
export type Queries = "redacted" | "recorded";

/** What stands for a query that is not told. */
const redactedQuery = "REDACTED";
const methods: ReadonlySet<string> = new Set(knownMethods);

/** The span's name: the method, which is one of nine words, or `HTTP`. Never the path. */
export function spanName(method: string): string {
  return methods.has(method) ? method : "HTTP";
}

/** The method as an attribute, which is one of ten words. */
export function methodOf(method: string): string {
  return methods.has(method) ? method : "_OTHER";
}

/** What is known when an exchange begins. */
export function requestAttributes(exchange: ExchangeView, queries: Queries): Attributes {
  const { method, host, tunnelName, role } = exchange;
  const known = methods.has(method);
  const attributes: Attributes = {
    "http.request.method": methodOf(method),
    "caisson.tunnel": cut(tunnelName, maxValueLength),
  };
  if (!known) attributes["http.request.method_original"] = cut(method, maxValueLength);
  if (role === "client") addTarget(attributes, exchange, queries);
  else {
    addTargetParts(attributes, exchange.target, queries);
    attributes["url.scheme"] = exchange.secure ? "https" : "http";
    attributes["network.protocol.version"] = exchange.protocolVersion;
    attributes["client.address"] = exchange.visitorAddress;
    if (host !== "") attributes["server.address"] = cut(host, maxValueLength);
    const agent = exchange.field("user-agent");
    if (agent !== undefined) attributes["user_agent.original"] = cut(agent, maxValueLength);
  }
  return attributes;
}

/** Adds what is known when it has ended. */
export function addResponse(attributes: Attributes, exchange: ExchangeView, outcome: ExchangeOutcome): void {
  attributes["http.request.body.size"] = exchange.bytesIn;
  attributes["http.response.body.size"] = exchange.bytesOut;
  if (exchange.status !== 0) attributes["http.response.status_code"] = exchange.status;
  const problem = errorType(exchange, outcome);
  if (problem !== undefined) attributes["error.type"] = problem;
}

/** The Caisson-Error, or the status if the target itself has failed; undefined if nothing went wrong. */
export function errorType(exchange: ExchangeView, outcome: ExchangeOutcome): string | undefined {
  if (outcome !== "ok") return outcome;
  const failedFrom = exchange.role === "client" ? 400 : 500;
  return exchange.status >= failedFrom ? String(exchange.status) : undefined;
}

/** Whether the span counts as failed: not for what its caller did wrong or gave up, as the conventions have it. */
export function isFailure(exchange: ExchangeView, outcome: ExchangeOutcome): boolean {
  return outcome === "ok" ? errorType(exchange, outcome) !== undefined : isFault(outcome);
}

/** Whether what did not end well is anybody's failure but the visitor's. */
export function isFault(outcome: Exclude<ExchangeOutcome, "ok">): boolean {
  switch (outcome) {
    case "visitor_abort":
    case "bad_request":
    case "no_tunnel":
      return false;
    default:
      return true;
  }
}

/** At most `length` characters. */
export function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

function addTargetParts(attributes: Attributes, target: string, queries: Queries): void {
  const { path, query } = partsOf(target);
  attributes["url.path"] = cut(path, maxPathLength);
  if (query !== undefined) attributes["url.query"] = shownQuery(query, queries);
}

function addTarget(attributes: Attributes, exchange: ExchangeView, queries: Queries): void {
  const { upstream } = exchange;
  if (upstream === undefined) return;
  const { host, port, tls } = upstream;
  const { path, query } = partsOf(exchange.target);
  const origin = `${tls ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const search = query === undefined ? "" : `?${shownQuery(query, queries)}`;
  attributes["url.full"] = `${origin}${cut(path, maxPathLength)}${search}`;
  attributes["server.address"] = cut(host, maxValueLength);
  attributes["server.port"] = port;
  attributes["network.protocol.version"] = exchange.protocolVersion;
}

function shownQuery(query: string, queries: Queries): string {
  return queries === "redacted" ? redactedQuery : cut(query, maxPathLength);
}

/** Path and query of a request target, also of one in absolute form. */
function partsOf(target: string): { readonly path: string; readonly query: string | undefined } {
  const authority = /^https?:\/\/[^/?]*/iu.exec(target)?.[0].length ?? 0;
  const mark = target.indexOf("?", authority);
  const path = target.slice(authority, mark < 0 ? undefined : mark);
  return { path: path === "" ? "/" : path, query: mark < 0 ? undefined : target.slice(mark + 1) };
}
