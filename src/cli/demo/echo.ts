// The demo's WebSocket echo: every message goes back as it came. A peer that sends without reading is paused, so that
// what waits for it stays small.

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { RawData, WebSocket } from "ws";
import { WebSocketServer } from "ws";

const maxMessageBytes = 1024 ** 2;
/** Reading from a peer pauses while more than this waits to be sent to it. */
const maxUnsentBytes = 1024 ** 2;

/** All open echoes. */
export class Echo {
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    clientTracking: true,
  });

  /** Takes over the socket of an upgrade request. */
  open(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, attach);
  }

  /** Cuts every connection. */
  close(): void {
    for (const webSocket of this.#server.clients) webSocket.terminate();
    this.#server.close();
  }
}

function attach(webSocket: WebSocket): void {
  webSocket.on("message", onMessage);
  webSocket.on("error", onError);
}

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  this.send(data, { binary: isBinary }, () => {
    if (this.isPaused && this.bufferedAmount <= maxUnsentBytes) this.resume();
  });
  if (this.bufferedAmount > maxUnsentBytes) this.pause();
}

function onError(this: WebSocket): void {
  this.terminate();
}
