// What visitors do in a storm: requests that are finished, left or abused, and conversations over pipes. A visit always
// ends, and never fails: what goes wrong is part of the storm.

import type { IncomingMessage } from "node:http";
import { request } from "node:http";
import { connect } from "node:net";

const websocketKey = "dGhlIHNhbXBsZSBub25jZQ==";
/** A visitor that hears nothing for so long leaves. Longer than a dead link is found out. */
const patienceMs = 5_000;

/** A request to the tunnel that `host` names. */
export interface Visit {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly body?: Buffer;
  /** Aborts when so many bytes of the body came; 0: before the head. */
  readonly leaveAfterBytes?: number;
}

/** Resolves when the request is over; true if it was answered completely. */
export function visit({ port, host, path, body, leaveAfterBytes }: Visit): Promise<boolean> {
  return new Promise((resolve) => {
    let answered = false;
    const method = body ? "POST" : "GET";
    const sent = request({ host: "127.0.0.1", port, path, method, headers: { host }, agent: false });
    sent.on("error", () => resolve(answered));
    sent.on("close", () => resolve(answered));
    sent.on("response", (response: IncomingMessage) => {
      let received = 0;
      response.on("data", (chunk: Buffer) => {
        received += chunk.length;
        if (leaveAfterBytes !== undefined && received > leaveAfterBytes) sent.destroy();
      });
      response.on("error", () => resolve(answered));
      response.on("end", () => void (answered = true));
    });
    sent.end(body);
    if (leaveAfterBytes === 0) setImmediate(() => sent.destroy());
  });
}

/** A conversation over a pipe with a target that says back what it hears. */
export interface Conversation {
  readonly port: number;
  /** Said before the payload, whether the target says it back or not. */
  readonly opening?: Buffer;
  readonly payload: Buffer;
  /** Resets the connection when more than so much came back; absent: ends it when as much came back as was said. */
  readonly leaveAfterBytes?: number;
}

/** Resolves when the connection is closed; true if as much came back as was said. */
export function converse(conversation: Conversation): Promise<boolean> {
  const { port, opening, payload, leaveAfterBytes } = conversation;
  return new Promise((resolve) => {
    let received = 0;
    const socket = connect({ port, host: "127.0.0.1" });
    socket.setTimeout(patienceMs, () => socket.destroy());
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(received >= payload.length));
    socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
      if (leaveAfterBytes !== undefined && received > leaveAfterBytes) socket.resetAndDestroy();
      else if (received >= payload.length) socket.end();
    });
    if (opening) socket.write(opening);
    socket.write(payload);
  });
}

/** What opens a WebSocket; `path` says what becomes of it. */
export function upgradeTo(host: string, path: string): Buffer {
  return Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${websocketKey}\r\n\r\n`,
    "latin1",
  );
}
