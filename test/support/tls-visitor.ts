// Visitors over TLS: one request through node:https, or a bare encrypted connection.

import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { text as readText } from "node:stream/consumers";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { connect } from "node:tls";

/** Where and how a visitor goes. The server is always on 127.0.0.1. */
export interface TlsVisit {
  readonly port: number;
  readonly ca: string;
  /** The name for SNI and Host; default `demo.tunnels.test`. */
  readonly name?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** A response, read whole. */
export interface TlsAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Sends one request on a connection of its own. */
export async function fetchTls(path: string, visit: TlsVisit): Promise<TlsAnswer> {
  const { port, ca, name = "demo.tunnels.test", method = "GET", headers = {}, body } = visit;
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const sent = request({
    host: "127.0.0.1",
    port,
    path,
    method,
    ca,
    servername: name,
    agent: false,
    headers: { host: name, ...length, ...headers },
  });
  sent.end(body);
  const [response]: IncomingMessage[] = await once(sent, "response");
  if (!response) throw new Error("a response without a message");
  return { status: response.statusCode ?? 0, headers: response.headers, body: await readText(response) };
}

/** An encrypted connection; rejects when the handshake fails. */
export async function connectTls(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, servername: "demo.tunnels.test", ...options });
  await once(socket, "secureConnect");
  return socket;
}
