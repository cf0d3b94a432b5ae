// One visit of each sort, on a connection of its own, with its answer checked. Rejects with what was wrong.

import { createHash } from "node:crypto";
import type { ClientRequest, IncomingMessage } from "node:http";
import { request } from "node:http";
import { WebSocket } from "ws";
import { systemCodeOf } from "../../../src/lifecycle/errors.ts";
import { largeBytes, largeDigest, smallBody } from "./bodies.ts";
import { authority } from "./authority.ts";
import { WrongAnswer } from "./wrong-answer.ts";

/** Where a visit goes. */
export interface Visit {
  readonly address: string;
  readonly port: number;
  readonly host: string;
  readonly path: string;
}

/** How long a visit may take, in milliseconds. */
const patienceMs = 10_000;
/** Size of the pieces in which a slow reader reads, and the pause between two, in bytes and milliseconds. */
const slowPieceBytes: number = 64 * 1024;
const slowPauseMs = 20;
/** How long a visitor reads nothing before it leaves, in milliseconds. */
const readNothingMs = 150;
const webSocketMessages: readonly string[] = ["hello", "caisson", "x".repeat(10_000)];

/** A small request whose body must be the origin's answer to this Host and path. */
export async function getSmall(visit: Visit): Promise<void> {
  const response = await head(open(visit));
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) body += String(chunk);
  const { status, error } = statusOf(response);
  if (status !== 200) throw new Error(`${visit.host}${visit.path} was answered ${status} ${error}`);
  if (body !== smallBody(visit.host, visit.path))
    throw new WrongAnswer(`${visit.host}${visit.path} got another body: ${body}`);
}

/** Leaves before the response head came. */
export async function leaveBefore(visit: Visit): Promise<void> {
  const sent = open(visit);
  const closed = closeOf(sent);
  sent.on("error", () => undefined); // What leaving looks like from here.
  sent.on("response", (response: IncomingMessage) => void response.resume());
  sent.on("finish", () => setTimeout(() => sent.destroy(), 5));
  await closed;
}

/** Stops reading in the middle of the response body, and leaves when the way is full. */
export async function leaveWithin(visit: Visit): Promise<void> {
  const sent = open(visit);
  const closed = closeOf(sent);
  const response = await head(sent);
  response.on("error", () => undefined); // What leaving looks like from here.
  response.once("data", () => {
    response.pause();
    setTimeout(() => sent.destroy(), readNothingMs);
  });
  await closed;
}

/** Reads a large response piece by piece, with pauses, and compares its digest. */
export async function readSlowly(visit: Visit): Promise<void> {
  const response = await head(open(visit));
  const hash = createHash("sha256");
  let bytes = 0;
  let sincePause = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue;
    hash.update(chunk);
    bytes += chunk.length;
    sincePause += chunk.length;
    if (sincePause < slowPieceBytes) continue;
    sincePause = 0;
    await pause(slowPauseMs);
  }
  if (bytes !== largeBytes || hash.digest("hex") !== largeDigest(visit.path)) {
    throw new WrongAnswer(`${visit.host}${visit.path} got ${bytes} bytes that are not the origin's`);
  }
}

/** Has messages echoed over a WebSocket and closes it, or drops its connection. */
export async function echoOverWebSocket(visit: Visit, { leave }: { readonly leave: boolean }): Promise<void> {
  const socket = new WebSocket(`ws://${authority(visit)}${visit.path}`, {
    headers: { Host: visit.host },
    handshakeTimeout: patienceMs,
  });
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
  });
  const echoed = new Promise<void>((resolve, reject) => {
    let next = 0;
    socket.on("error", reject);
    socket.on("open", () => {
      for (const message of webSocketMessages) socket.send(message);
    });
    socket.on("message", (data: Buffer) => {
      if (data.toString() !== webSocketMessages[next])
        reject(new WrongAnswer(`${visit.host}: a WebSocket message came back changed`));
      next += 1;
      if (next === webSocketMessages.length) resolve();
    });
    socket.on("close", () => reject(new Error(`${visit.host}: the WebSocket closed early`)));
  });
  await echoed;
  if (leave) socket.terminate();
  else socket.close(1000);
  await closed;
}

/** A request that the server must answer with one of these Caisson-Error words. */
export async function expectError(visit: Visit, errors: readonly string[]): Promise<void> {
  const response = await head(open(visit));
  response.resume();
  const { status, error } = statusOf(response);
  await closeOf(response);
  if (!errors.includes(error)) {
    throw new Error(`${visit.host}${visit.path} was answered ${status} "${error}" instead of ${errors.join(" or ")}`);
  }
}

/** A request whose response must be cut, with or without its head, and never end as if it were complete. */
export async function expectCut(visit: Visit): Promise<void> {
  const sent = open(visit);
  // What the server learns in one turn it does in one: then the reset overtakes the head.
  const response = await head(sent).catch((error: unknown) => {
    if (systemCodeOf(error) === "ECONNRESET") return undefined;
    throw error;
  });
  if (!response) return;
  const whole = await new Promise<boolean>((resolve) => {
    response.on("error", () => resolve(false));
    response.on("end", () => resolve(true));
    response.resume();
  });
  if (whole) throw new WrongAnswer(`${visit.host}${visit.path} ended as if it were complete`);
}

function open({ address, port, host, path }: Visit): ClientRequest {
  const sent = request({ host: address, port, path, headers: { Host: host }, agent: false, timeout: patienceMs });
  sent.on("timeout", () => sent.destroy(new Error(`${host}${path} took longer than ${patienceMs} ms`)));
  sent.end();
  return sent;
}

function head(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.on("response", resolve);
    sent.on("error", reject);
  });
}

function statusOf(response: IncomingMessage): { readonly status: number; readonly error: string } {
  const error = response.headers["caisson-error"];
  return { status: response.statusCode ?? 0, error: typeof error === "string" ? error : "" };
}

function closeOf(emitter: ClientRequest | IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    emitter.once("close", () => resolve());
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
