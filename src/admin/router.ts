// Finds the handler of a path and method. Patterns are literal segments and `:name` for one segment. Pure.

import type { IncomingMessage } from "node:http";
import type { Answer } from "./answer.ts";
import type { BodyResult } from "./json-body.ts";

/** One request, as handlers see it. */
export interface AdminRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** What stands for the pattern's `:name` segments, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage["headers"];
  /** The peer; all of loopback counts as one. */
  readonly peer: string;
  /** Whether whoever asked still may: false once the cookie has expired or was signed out. For answers that go on for long. */
  readonly permitted: () => boolean;
  /** Aborts when the peer leaves or the listener closes. */
  readonly gone: AbortSignal;
  /** Reads the body once. */
  body(): Promise<BodyResult>;
}

/** Answers one request. What it throws is answered with 500. */
export type Handler = (request: AdminRequest) => Answer | Promise<Answer>;

/**
 * Who may use a route: `open` anybody on loopback; `page` anybody, for it tells nothing; `login` anybody with a secret in
 * the body; `token` whoever is signed in.
 */
export type Access = "open" | "page" | "login" | "token";

/** One path and its methods. */
export interface Route {
  readonly path: string;
  readonly access: Access;
  readonly methods: Readonly<Partial<Record<Method, Handler>>>;
}

/** Methods that routes may have. HEAD goes with GET. */
export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** What {@link Router.find} answers: a route, and its handler unless the method is another's. */
export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
  readonly handler: Handler | undefined;
  /** For the Allow field. */
  readonly allow: string;
}

/** A fixed set of routes. */
export class Router {
  readonly #routes: readonly { readonly route: Route; readonly segments: readonly string[] }[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes.map((route) => ({ route, segments: route.path.split("/") }));
  }

  /** The route of a path, the first that fits; undefined if none does. */
  find(method: string, path: string): Match | undefined {
    const segments = path.split("/");
    for (const { route, segments: pattern } of this.#routes) {
      const params = match(pattern, segments);
      if (params) return { route, params, handler: handlerOf(route, method), allow: allowOf(route) };
    }
    return undefined;
  }
}

function match(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: [string, string][] = [];
  for (const [index, expected] of pattern.entries()) {
    const segment = segments[index] ?? "";
    if (expected.startsWith(":")) {
      const decoded = decode(segment);
      if (decoded === undefined || decoded === "") return undefined;
      params.push([expected.slice(1), decoded]);
    } else if (expected !== segment) return undefined;
  }
  return Object.fromEntries(params);
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined; // Malformed percent forms name nothing.
  }
}

function handlerOf(route: Route, method: string): Handler | undefined {
  switch (method) {
    case "GET":
    case "HEAD":
      return route.methods.GET;
    case "POST":
    case "PUT":
    case "DELETE":
      return route.methods[method];
    default:
      return undefined;
  }
}

function allowOf(route: Route): string {
  return Object.keys(route.methods)
    .flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]))
    .join(", ");
}
