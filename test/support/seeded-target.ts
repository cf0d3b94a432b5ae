// A target that sends and receives seeded bytes of any length: GET /bytes?seed=S&length=N answers with them, POST
// answers with the length and SHA-256 of what it received, and POST /echo sends everything back.

import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { digestOf, seededStream } from "./seeded-bytes.ts";

/** The listener of such a target. Framing: with `framing=length` by Content-Length, else chunked. */
export function seededTarget(request: IncomingMessage, response: ServerResponse): void {
  void answer(request, response).catch(() => response.destroy());
}

/** The path under which {@link seededTarget} sends seeded bytes. */
export function bytesPath(seed: string, length: number, framing: "length" | "chunked" = "length"): string {
  return `/bytes?${new URLSearchParams({ seed, length: String(length), framing }).toString()}`;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://target");
  if (url.pathname === "/bytes") {
    request.resume();
    const length = Number(url.searchParams.get("length"));
    if (url.searchParams.get("framing") === "length") response.setHeader("Content-Length", length);
    await pipeline(seededStream(url.searchParams.get("seed") ?? "", length), response);
  } else if (url.pathname === "/echo") {
    const length = request.headers["content-length"];
    if (length !== undefined) response.setHeader("Content-Length", length);
    await pipeline(request, response);
  } else if (request.method === "POST") {
    response.end(JSON.stringify(await digestOf(request)));
  } else {
    request.resume();
    response.end(`${request.method} ${request.url}`);
  }
}
