// The way of a request from its head to its answer: guard, route, sign-in, handler, in this order. It holds no sockets.

import type { IncomingMessage } from "node:http";
import { unreachable } from "../lifecycle/errors.ts";
import type { AdminAuth } from "./admin-auth.ts";
import type { Answer } from "./answer.ts";
import { problem } from "./answer.ts";
import { readJsonBody } from "./json-body.ts";
import { guessAnswer } from "./login-routes.ts";
import { bareAddress, fieldsOf, isLoopbackPeer, isSameOrigin, refusalOf } from "./request-guard.ts";
import type { AllowedHosts } from "./request-guard.ts";
import type { Access, Router } from "./router.ts";

/** What a gate is made of. */
export interface AdminGateOptions {
  readonly auth: AdminAuth;
  readonly router: Router;
  /** Names that Host may hold besides loopback and the address that was reached. */
  readonly hosts: readonly string[];
  readonly onGuess: (peer: string) => void;
}

/** All of loopback, and a unix socket, count as this one peer. */
const localPeer = "local";

/** Answers requests. */
export class AdminGate {
  readonly #options: AdminGateOptions;
  readonly #hosts: AllowedHosts;

  constructor(options: AdminGateOptions) {
    this.#options = options;
    this.#hosts = new Set(options.hosts.map((host) => host.toLowerCase()));
  }

  /** The answer to one request. Rejects if a handler throws. */
  async answer(request: IncomingMessage, gone: AbortSignal): Promise<Answer> {
    const { method = "", url = "", socket } = request;
    if (!url.startsWith("/") || url.length > 2_048) return problem("bad_request", "only paths are served here");
    const fields = fieldsOf(request.headersDistinct);
    const refusal = refusalOf({ method, fields, localAddress: socket.localAddress }, this.#hosts);
    if (refusal !== undefined) return problem("forbidden", refusal);

    const [path, query] = split(url);
    const match = this.#options.router.find(method, path);
    const denied = this.#deny(request, match?.route.access ?? "token");
    if (denied) return denied;
    if (!match) return problem("not_found", "there is nothing here");
    const { handler, params, allow } = match;
    if (!handler) return problem("method_not_allowed", `this takes ${allow}`, { Allow: allow });
    return handler({
      method,
      path,
      params,
      gone,
      permitted: () => this.#isPermitted(request),
      query: new URLSearchParams(query),
      headers: request.headers,
      peer: peerOf(request),
      body: () => readJsonBody(request),
    });
  }

  #isPermitted(request: IncomingMessage): boolean {
    const { authorization, cookie } = request.headers;
    const { kind } = this.#options.auth.judge({ authorization, cookie, peer: peerOf(request) });
    return kind === "bearer" || kind === "cookie";
  }

  #deny(request: IncomingMessage, access: Access): Answer | undefined {
    if (access === "login" || access === "page") return undefined;
    const { authorization, cookie } = request.headers;
    const peer = peerOf(request);
    if (access === "open" && peer === localPeer) return undefined;
    const verdict = this.#options.auth.judge({ authorization, cookie, peer });
    switch (verdict.kind) {
      case "bearer":
        return undefined;
      case "cookie":
        return isChange(request) && !isSameOriginRequest(request)
          ? problem("forbidden", "a change with a cookie needs this page's own Origin")
          : undefined;
      case "anonymous":
        return problem("unauthorized", "this needs the admin token: Authorization: Bearer ...", {
          "WWW-Authenticate": "Bearer",
        });
      case "guessed":
        if (verdict.retrySeconds === 0) this.#options.onGuess(peer);
        return guessAnswer(verdict.retrySeconds);
      default:
        return unreachable(verdict);
    }
  }
}

function split(url: string): readonly [string, string] {
  const mark = url.indexOf("?");
  return mark < 0 ? [url, ""] : [url.slice(0, mark), url.slice(mark + 1)];
}

function peerOf(request: IncomingMessage): string {
  const { remoteAddress } = request.socket;
  return isLoopbackPeer(remoteAddress) ? localPeer : bareAddress(remoteAddress ?? "");
}

function isChange({ method }: IncomingMessage): boolean {
  return method !== "GET" && method !== "HEAD";
}

/** Browsers send Origin with every change; what comes without one and with a cookie is forged. */
function isSameOriginRequest({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined && isSameOrigin(headers.origin, (headers.host ?? "").toLowerCase());
}
