// A visitor on node:http whose bodies are streams, for transfers that are not to be kept in memory.

import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:http";
import { text as readText } from "node:stream/consumers";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** One request. */
export interface VisitOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent with chunked coding unless the headers give a length. */
  readonly body?: Readable;
}

/** Sends one request on a connection of its own to a port on 127.0.0.1; resolves with the response head. */
export async function visit(port: number, path: string, options: VisitOptions = {}): Promise<IncomingMessage> {
  const { method = "GET", headers = {}, body } = options;
  const outgoing = request({
    host: "127.0.0.1",
    port,
    path,
    method,
    agent: false,
    headers: { host: "demo.localhost", ...headers },
  });
  const answered = once(outgoing, "response");
  if (body) {
    // An early response may cut the body short; the response tells.
    pipeline(body, outgoing).catch(() => undefined);
  } else outgoing.end();
  const [response]: IncomingMessage[] = await answered;
  if (!response) throw new Error("a response without a message");
  outgoing.on("error", () => undefined);
  return response;
}

/** Like {@link visit}; resolves with the status and the whole body as text. */
export async function visitText(
  port: number,
  path: string,
  options: VisitOptions = {},
): Promise<{ readonly status: number; readonly body: string; readonly error: string | undefined }> {
  const response = await visit(port, path, options);
  const error = response.headers["caisson-error"];
  return {
    status: response.statusCode ?? 0,
    body: await readText(response),
    error: typeof error === "string" ? error : undefined,
  };
}
