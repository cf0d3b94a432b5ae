// What a visitor gets when there is no answer from the target: status, Caisson-Error, and a short page that says
// whose fault it is and what to do. Complete HTTP/1.1 responses as bytes.

import type { GatewayError } from "../lifecycle/events.ts";
import type { ResetReason } from "../wire/codes.ts";

/** An answer of the server itself. */
export interface ServerAnswer {
  readonly status: number;
  /** Undefined if nothing failed. */
  readonly error: GatewayError | undefined;
  /** Where to go instead. */
  readonly location?: string;
  /** Seconds after which it makes sense to try again. */
  readonly retryAfter?: number;
  /** One sentence for people. */
  readonly text: string;
}

/** An answer of the server itself because something failed. */
export interface GatewayAnswer extends ServerAnswer {
  readonly error: GatewayError;
}

/** The errors with an answer of their own; `bad_request` has many. */
export type GatewayFailure = Exclude<GatewayError, "bad_request" | "target_cut">;

/** The answers that say that a request did not reach its target. */
export const gatewayAnswers: Readonly<Record<GatewayFailure, GatewayAnswer>> = {
  no_tunnel: {
    status: 404,
    error: "no_tunnel",
    text: "There is no tunnel under this name. Check the address, or start the client again.",
  },
  reconnecting: {
    status: 503,
    error: "reconnecting",
    retryAfter: 2,
    text: "The client of this tunnel lost its connection and has not come back yet. Try again in a moment.",
  },
  target_refused: {
    status: 502,
    error: "target_refused",
    text: "The tunnel works, but nothing listens at its target. Start the local service.",
  },
  target_unreachable: {
    status: 502,
    error: "target_unreachable",
    text: "The tunnel works, but its target cannot be reached.",
  },
  bad_target_response: {
    status: 502,
    error: "bad_target_response",
    text: "The target answered, but not with valid HTTP.",
  },
  target_timeout: { status: 504, error: "target_timeout", text: "The target did not answer in time." },
  client_lost: {
    status: 502,
    error: "client_lost",
    text: "The client of this tunnel went away before the target had answered.",
  },
  overloaded: {
    status: 503,
    error: "overloaded",
    retryAfter: 1,
    text: "There are too many requests at once. Try again in a moment.",
  },
  internal: { status: 502, error: "internal", text: "The request failed inside the tunnel." },
};

/** The answer to a request that went through this server before. */
export const loopAnswer: GatewayAnswer = {
  status: 508,
  error: "bad_request",
  text: "This request went through this server before: a tunnel leads back to itself.",
};

/** The answer to a request for a name whose connections are passed through undecrypted: this server cannot read them. */
export const passedOnlyAnswer: GatewayAnswer = {
  status: 421,
  error: "bad_request",
  text: "The service under this name is reached by TLS connections that ask for it by name (SNI). Use https, or the service's own program.",
};

/** The answer to a visitor at the address that only clients use. */
export const clientsOnlyAnswer: GatewayAnswer = {
  status: 421,
  error: "bad_request",
  text: "Only clients connect at this address. Tunnels are reached by their own URLs.",
};

/** The answer to a client at an address that only visitors use. */
export const clientsElsewhereAnswer: GatewayAnswer = {
  status: 421,
  error: "bad_request",
  text: "Clients connect at another address of this server (--listen-clients). Ask its operator which, and give it as --server.",
};

/** The answer to bytes that are no acceptable request. `status` and `reason` come from http1/. */
export function badRequestAnswer(status: number, reason: string): GatewayAnswer {
  return {
    status,
    error: "bad_request",
    text: `This server does not accept the request: ${reason.replaceAll("_", " ")}.`,
  };
}

/** Sends a visitor to the encrypted form of what it asked for. */
export function redirectAnswer(location: string): ServerAnswer {
  return { status: 308, error: undefined, location, text: "This server wants HTTPS." };
}

const statusTexts: Readonly<Record<number, string>> = {
  308: "Permanent Redirect",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Content Too Large",
  414: "URI Too Long",
  421: "Misdirected Request",
  431: "Request Header Fields Too Large",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  508: "Loop Detected",
};

/** How an answer is written. */
export interface AnswerForm {
  /** The visitor's Accept field allows HTML. */
  readonly html: boolean;
  /** The request was HEAD: the fields, but no body. */
  readonly headOnly: boolean;
  /** The connection stays open after it. */
  readonly persist: boolean;
  /** HTTP/1.0 visitors must be told that the connection persists. */
  readonly versionMinor: number;
}

/** Whether a page is welcome: the Accept field asks for HTML. */
export function acceptsHtml(accept: string | undefined): boolean {
  return accept !== undefined && accept.includes("text/html");
}

/** The whole response. */
export function renderAnswer(answer: ServerAnswer, form: AnswerForm): Buffer {
  const title = `${answer.status} ${statusTexts[answer.status] ?? "Error"}`;
  const body = form.html ? page(title, answer) : `${title}\n${answer.text}\n`;
  const lines = [
    `HTTP/1.1 ${title}`,
    `Date: ${new Date().toUTCString()}`,
    `Content-Type: text/${form.html ? "html" : "plain"}; charset=utf-8`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Cache-Control: no-store",
    "X-Content-Type-Options: nosniff",
  ];
  if (answer.error !== undefined) lines.push(`Caisson-Error: ${answer.error}`);
  if (answer.location !== undefined) lines.push(`Location: ${answer.location}`);
  if (answer.retryAfter !== undefined) lines.push(`Retry-After: ${answer.retryAfter}`);
  if (!form.persist) lines.push("Connection: close");
  else if (form.versionMinor === 0) lines.push("Connection: keep-alive");
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${form.headOnly ? "" : body}`);
}

/** Texts are our own constants and reason words: nothing of the request is ever written into the page. */
function page(title: string, answer: ServerAnswer): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>${title}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem}small{opacity:.7}</style></head>
<body><h1>${title}</h1><p>${answer.text}</p>${answer.error === undefined ? "" : `<p><small>Caisson: ${answer.error}</small></p>`}</body></html>
`;
}

/** What the visitor is told when the stream was cut for this reason. */
export function failureOf(reason: ResetReason | "session_lost"): GatewayFailure {
  switch (reason) {
    case "target_refused":
    case "target_unreachable":
    case "target_timeout":
    case "bad_target_response":
    case "overloaded":
    case "no_tunnel":
    case "internal":
      return reason;
    case "session_lost":
      return "client_lost";
    case "target_cut":
    case "cancelled":
      return "bad_target_response";
    case "idle":
      return "target_timeout";
    default:
      return "internal";
  }
}
