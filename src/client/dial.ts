// One attempt to log in to a server: from the URL to an open WebSocket, or to the reason why not.
// It ends within its deadline whatever the network does, ends exactly once, and leaves no listener behind.

import type { ClientRequest, IncomingMessage } from "node:http";
import type { WebSocket } from "ws";
import type { Deadline } from "../lifecycle/deadlines.ts";
import type { ErrorCode } from "../lifecycle/errors.ts";
import { CaissonError, messageOf, systemCodeOf } from "../lifecycle/errors.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import { dialWebSocket } from "../mux/ws-transport.ts";
import { parseRetryAfter } from "./backoff.ts";
import type { HttpProxy } from "./http-proxy.ts";
import type { ProxyConnectOptions } from "./proxy-connect.ts";
import { ProxyConnect } from "./proxy-connect.ts";
import type { ServerAddress } from "./server-address.ts";
import type { Certificates } from "./target.ts";

/** How a server is reached and who the client is to it. The same for every attempt. */
export interface DialOptions {
  readonly server: ServerAddress;
  /** Sent as `Authorization: Bearer`. */
  readonly token: string | undefined;
  /** Certificate authorities, as PEM, that replace the system's. */
  readonly ca: Certificates | undefined;
  /** The HTTP proxy on the way. */
  readonly proxy: HttpProxy | undefined;
  /** Masking of what is sent: `zero` costs nothing, `random` is for networks that look inside. Default: zero over TLS and to loopback. */
  readonly mask: "zero" | "random" | undefined;
  /** The package's version, for the server's log. */
  readonly version: string;
  /** For the whole attempt, in milliseconds. */
  readonly timeoutMs: number;
  readonly runtime: Runtime;
}

/** Why an attempt failed, and what to do about it. */
export interface DialFailure {
  /** `refused`: trying again will not help. `later`: it may. */
  readonly advice: "refused" | "later";
  /** A word for metrics: `unreachable`, `timeout`, `unauthorized`, `overloaded`, `http_error`, `certificate`. */
  readonly result: string;
  readonly error: CaissonError;
  /** The least delay that the server asked for, in milliseconds; 0 if none. */
  readonly retryAfterMs: number;
}

/** Who hears how an attempt ended: exactly one of the two, once, unless it was cancelled. */
export interface DialOwner {
  /** The caller owns the socket from now on, and attaches its listeners during this call. */
  onDialed(dial: Dial, socket: WebSocket): void;
  onDialFailed(dial: Dial, failure: DialFailure): void;
}

/** At most this much of an error answer is read, in bytes, to show its text. */
const answerTextBytes = 1024;

/** One attempt. It starts in the constructor; the owner hears of its end in a later turn. */
export class Dial {
  readonly #options: DialOptions;
  readonly #deadline: Deadline;
  #owner: DialOwner | undefined;
  #socket: WebSocket | undefined;
  #proxied: ProxyConnect | undefined;
  #answer: IncomingMessage | undefined;
  #answerText = "";

  constructor(options: DialOptions, owner: DialOwner) {
    this.#options = options;
    this.#owner = owner;
    this.#deadline = options.runtime.deadlines.create(() => this.#expire());
    this.#deadline.arm(options.timeoutMs);
    const { proxy, server } = options;
    const connect = proxy && ((onEnd: ProxyConnectOptions["onEnd"]) => this.#connectBy(proxy, { server, onEnd }));
    const socket = openWebSocket(options, connect);
    this.#socket = socket;
    socket.on("open", this.#onOpen);
    socket.on("error", this.#onError);
    socket.on("unexpected-response", this.#onUnexpectedResponse);
  }

  /** Gives up; the owner hears nothing more. Idempotent. */
  cancel(): void {
    this.#release();
  }

  #connectBy(
    proxy: HttpProxy,
    through: { readonly server: ServerAddress; readonly onEnd: ProxyConnectOptions["onEnd"] },
  ): void {
    const url = new URL(through.server.connectUrl);
    this.#proxied = new ProxyConnect({
      proxy,
      host: url.hostname.replace(/^\[|\]$/gu, ""),
      port: Number(url.port) || (through.server.secure ? 443 : 80),
      onEnd: through.onEnd,
    });
  }

  readonly #onOpen = (): void => {
    const socket = this.#socket;
    const owner = this.#owner;
    if (!socket || !owner) return;
    this.#socket = undefined;
    this.#detach(socket);
    socket.off("error", this.#onError);
    this.#release();
    owner.onDialed(this, socket);
  };

  readonly #onError = (error: Error): void => {
    if (!this.#owner) return;
    const server = this.#options.server.text;
    const distrusted = isCertificateProblem(error);
    this.#fail("later", distrusted ? "certificate" : "unreachable", {
      code: "E_CONNECT",
      message: distrusted
        ? `the certificate of ${server} is not trusted (${messageOf(error)}): use --ca for a private authority`
        : `cannot reach ${server}: ${messageOf(error)}`,
      cause: error,
    });
  };

  readonly #onUnexpectedResponse = (_request: ClientRequest, answer: IncomingMessage): void => {
    this.#answer = answer;
    answer.setEncoding("latin1");
    answer.on("data", this.#onAnswerText);
    answer.on("end", this.#onAnswerEnd);
    answer.on("error", this.#onAnswerEnd);
    answer.on("aborted", this.#onAnswerEnd);
  };

  readonly #onAnswerText = (text: string): void => {
    this.#answerText += text;
    if (this.#answerText.length >= answerTextBytes) this.#onAnswerEnd();
  };

  readonly #onAnswerEnd = (): void => {
    const answer = this.#answer;
    if (!answer) return;
    this.#failWithStatus(answer.statusCode ?? 0, parseRetryAfter(answer.headers["retry-after"], Date.now()));
  };

  #failWithStatus(status: number, askedMs: number): void {
    const server = this.#options.server.text;
    const said = readable(this.#answerText, this.#answer?.headers["content-type"]);
    if (status === 401 || status === 403) {
      const hint = this.#options.token === undefined ? "it wants a token" : "it refused the token";
      const message = `${server} answered ${status}: ${hint}${said}`;
      this.#fail("refused", "unauthorized", { code: "E_AUTH", message });
      return;
    }
    const busy = status === 503 || status === 429;
    // Proxies in front of a server that restarts answer 5xx; what answers 404 or a redirect is no Caisson server.
    const final = status >= 300 && status < 500 && status !== 408 && status !== 425 && !busy;
    const hint = status >= 300 && status < 400 ? ", and redirects are not followed" : "";
    this.#fail(
      final ? "refused" : "later",
      busy ? "overloaded" : "http_error",
      { code: "E_CONNECT", message: `${server} answered ${status} to the login${hint}${said}` },
      askedMs,
    );
  }

  #expire(): void {
    const answer = this.#answer;
    if (answer) {
      this.#failWithStatus(answer.statusCode ?? 0, parseRetryAfter(answer.headers["retry-after"], Date.now()));
      return;
    }
    const seconds = this.#options.timeoutMs / 1000;
    const message = `${this.#options.server.text} did not answer within ${seconds} s`;
    this.#fail("later", "timeout", { code: "E_CONNECT", message });
  }

  #fail(advice: DialFailure["advice"], result: string, details: FailureDetails, askedMs = 0): void {
    const owner = this.#owner;
    this.#release();
    const cause = details.cause === undefined ? {} : { cause: details.cause };
    const error = new CaissonError(details.code, details.message, cause);
    owner?.onDialFailed(this, { advice, result, error, retryAfterMs: askedMs });
  }

  #release(): void {
    this.#owner = undefined;
    this.#deadline.dispose();
    this.#proxied?.cancel();
    this.#proxied = undefined;
    const answer = this.#answer;
    this.#answer = undefined;
    if (answer) {
      answer.off("data", this.#onAnswerText);
      answer.off("end", this.#onAnswerEnd);
      answer.off("aborted", this.#onAnswerEnd);
      // The listener for `error` stays: destroying may report one, and nobody else would hear it.
      answer.destroy();
    }
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    this.#detach(socket);
    // Its own error about being terminated early still finds the `error` listener, which ignores it now.
    socket.terminate();
  }

  #detach(socket: WebSocket): void {
    socket.off("open", this.#onOpen);
    socket.off("unexpected-response", this.#onUnexpectedResponse);
  }
}

interface FailureDetails {
  readonly code: ErrorCode;
  readonly message: string;
  readonly cause?: unknown;
}

function openWebSocket(
  options: DialOptions,
  connect: ((onEnd: ProxyConnectOptions["onEnd"]) => void) | undefined,
): WebSocket {
  const { server, token, ca, mask } = options;
  return dialWebSocket(server.connectUrl, {
    mask: mask ?? (server.secure || server.loopback ? "zero" : "random"),
    // The deadline above is for the attempt as a whole; this one only bounds silence, and must not be first.
    handshakeTimeoutMs: 2 * options.timeoutMs,
    ...(ca === undefined ? {} : { ca }),
    ...(connect === undefined ? {} : { connect }),
    headers: {
      "User-Agent": `caisson/${options.version}`,
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    },
  });
}

/** Whether TLS failed because of the certificate, by OpenSSL's and Node's names for that. */
export function isCertificateProblem(error: unknown): boolean {
  return /CERT|SELF_SIGNED|LEAF_SIGNATURE/.test(systemCodeOf(error) ?? "");
}

/** The text of an error answer as a continuation of a sentence; empty for pages, and without bytes a terminal acts upon. */
function readable(text: string, contentType: string | undefined): string {
  if (contentType !== undefined && !contentType.startsWith("text/plain")) return "";
  const words = text
    .slice(0, 200)
    .replace(/[^\x20-\x7e]+/g, " ")
    .trim();
  return words === "" ? "" : `: ${words}`;
}
