// The demo's sample target: a small HTTP service with everything a tunnel must carry. A page, server-sent events, a
// WebSocket echo, uploads that are hashed while they stream, and downloads that are generated while they are read.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { Duplex } from "node:stream";
import type { Deadlines } from "../../lifecycle/deadlines.ts";
import { Echo } from "./echo.ts";
import { downloads, randomBytesBetween } from "./random-bytes.ts";
import { parseRange } from "./range.ts";
import { RequestFeed } from "./request-feed.ts";

/** The page's files. The page loads nothing from anywhere else, and its policy would not let it. */
const assets: ReadonlyMap<string, { readonly file: string; readonly type: string }> = new Map([
  ["/", { file: "page.html", type: "text/html; charset=utf-8" }],
  ["/page.css", { file: "page.css", type: "text/css; charset=utf-8" }],
  ["/page.js", { file: "page.js", type: "text/javascript; charset=utf-8" }],
  ["/icon.svg", { file: "icon.svg", type: "image/svg+xml" }],
]);
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws: wss:";

/** A sample target that listens on a free port of 127.0.0.1. */
export class SampleTarget {
  readonly #feed: RequestFeed;
  readonly #server: Server;
  readonly #echo = new Echo();
  #requests = 0;

  /** Use {@link startSampleTarget}. */
  constructor(deadlines: Deadlines) {
    this.#feed = new RequestFeed(deadlines);
    this.#server = createServer(this.#onRequest);
    this.#server.on("upgrade", this.#onUpgrade);
  }

  /** Its port, once it listens. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** @internal */
  async _listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
  }

  /** Ends what would go on for ever: open pages' event streams and echoes. */
  endStreams(): void {
    this.#feed.close();
    this.#echo.close();
  }

  /** Ends everything that is open and stops listening. */
  async close(): Promise<void> {
    this.endStreams();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const startedAtMs = performance.now();
    this.#requests += 1;
    const number = this.#requests;
    const { method = "", url = "/" } = request;
    const path = url.replace(/\?.*$/u, "");
    response.once("close", () => {
      // The list itself would only tell of itself.
      if (path === "/events") return;
      const ms = Math.round((performance.now() - startedAtMs) * 10) / 10;
      const visitor = request.headers["x-forwarded-for"]?.toString() ?? "";
      const status = response.headersSent ? response.statusCode : 0;
      this.#feed.add({ number, time: new Date().toISOString(), method, path: url, status, ms, visitor });
    });
    this.#answer(path, request, response).catch(() => response.destroy());
  };

  async #answer(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (path === "/upload") return answerUpload(request, response);
    if (!isRead) return answerText(response, 405, "only GET, and POST or PUT to /upload\n");
    if (path === "/events" && request.method === "GET") return this.#feed.open(response);
    if (path === "/hello") return answerText(response, 200, "hello through the tunnel\n");
    if (path === "/request") return answerJson(response, 200, { headers: pairsOf(request.rawHeaders), downloads });
    if (path.startsWith("/download/")) return answerDownload(path.slice(10), request, response);
    const asset = assets.get(path);
    if (!asset) return answerText(response, 404, "the sample target has no such page\n");
    const body = await readFile(new URL(`./assets/${asset.file}`, import.meta.url));
    response.writeHead(200, {
      "Content-Type": asset.type,
      "Content-Length": body.length,
      "Content-Security-Policy": pagePolicy,
      "Cache-Control": "no-cache",
    });
    response.end(body);
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (request.url === "/echo") {
      this.#echo.open(request, socket, head);
      return;
    }
    socket.on("error", () => socket.destroy());
    socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  };
}

/** Starts a sample target. */
export async function startSampleTarget(deadlines: Deadlines): Promise<SampleTarget> {
  const target = new SampleTarget(deadlines);
  await target._listen();
  return target;
}

/** Hashes the body while it streams by, and says what arrived. */
async function answerUpload(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "POST" && request.method !== "PUT") {
    answerText(response, 405, "POST or PUT a body here\n");
    return;
  }
  const startedAtMs = performance.now();
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    hash.update(chunk);
  }
  answerJson(response, 200, { bytes, sha256: hash.digest("hex"), ms: Math.round(performance.now() - startedAtMs) });
}

async function answerDownload(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const download = downloads.find((candidate) => candidate.name === name);
  if (!download) {
    answerText(response, 404, `there are ${downloads.map((known) => known.name).join(", ")}\n`);
    return;
  }
  const { bytes, sha256 } = download;
  const entityTag = `"${sha256.slice(0, 16)}"`;
  response.setHeader("Accept-Ranges", "bytes");
  response.setHeader("ETag", entityTag);
  const ifRange = request.headers["if-range"];
  const field = ifRange === undefined || ifRange === entityTag ? request.headers.range : undefined;
  const range = parseRange(field, bytes);
  if (range.kind === "unsatisfiable") {
    response.setHeader("Content-Range", `bytes */${bytes}`);
    answerText(response, 416, "that range lies outside\n");
    return;
  }
  const { start, end } = range.kind === "part" ? range : { start: 0, end: bytes };
  if (range.kind === "part") response.setHeader("Content-Range", `bytes ${start}-${end - 1}/${bytes}`);
  response.writeHead(range.kind === "part" ? 206 : 200, {
    "Content-Type": "application/octet-stream",
    "Content-Disposition": `attachment; filename="caisson-${download.name}"`,
    "Content-Length": end - start,
    // RFC 9530: the digest of the whole, also with a part of it.
    "Repr-Digest": `sha-256=:${Buffer.from(sha256, "hex").toString("base64")}:`,
  });
  if (request.method === "HEAD") response.end();
  else await pipeline(randomBytesBetween(start, end), response);
}

function pairsOf(rawHeaders: readonly string[]): [name: string, value: string][] {
  return rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ""]] : []));
}

function answerText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": Buffer.byteLength(text),
  });
  response.end(text);
}

function answerJson(response: ServerResponse, status: number, value: unknown): void {
  const text = `${JSON.stringify(value)}\n`;
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}
