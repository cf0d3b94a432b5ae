// How the WebSockets of sessions are made on both sides: handshake, limits, masking. Only this file and session-socket.ts,
// which makes a Transport of an open one, know `ws`.

import type { ClientRequestArgs } from "node:http";
import { isIP, Socket } from "node:net";
import type { ConnectionOptions as TlsOptions } from "node:tls";
import { connect as connectTls } from "node:tls";
import type { ServerOptions } from "ws";
import { WebSocket, WebSocketServer } from "ws";
import { maxMessageBytes, maxMessageFragments, protocolName } from "../wire/limits.ts";
import { setMasking } from "./session-socket.ts";

/**
 * How many pieces of one message may wait, as the network delivered them. A message in 8-byte pieces still passes; a
 * peer that sends single bytes makes us hold at most some megabytes of small buffers.
 */
const maxWaitingChunks: number = maxMessageBytes / 8 + 64;

/** WebSocket pings that wait to be answered, above which the peer is cut: it reads nothing. */
const maxPendingPongs = 16;

const defaultCloseTimeoutMs = 30_000;

/** What both sides ask of `ws`. Compression would cost memory per connection and buys little for bodies. */
const socketOptions = {
  perMessageDeflate: false,
  maxPayload: maxMessageBytes,
  maxFragments: maxMessageFragments,
  maxBufferedChunks: maxWaitingChunks,
  maxPendingAutoPongs: maxPendingPongs,
  // Text messages are violations, whatever is in them.
  skipUTF8Validation: true,
} as const;

/** Options of {@link dialWebSocket}. */
export interface DialOptions {
  /** Sent with the upgrade request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** `zero` spares both sides a pass over every byte: only for `wss://` and loopback (RFC 6455 section 10.3). */
  readonly mask: "zero" | "random";
  /** TCP, TLS and upgrade must be done within this time, in milliseconds. */
  readonly handshakeTimeoutMs: number;
  /** How long the server may take to answer a close, in milliseconds. Default 30,000. */
  readonly closeTimeoutMs?: number;
  /** PEM of the certificate authorities to trust instead of the built-in ones. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
  /**
   * Makes the TCP connection in another way than directly, and calls back once. TLS, if the URL wants it, runs over what
   * it answers.
   */
  readonly connect?: (done: (error: Error | undefined, socket: Socket | undefined) => void) => void;
}

/** Begins to connect. The caller owns the WebSocket until it is open and given to a SessionSocket. */
export function dialWebSocket(url: string | URL, options: DialOptions): WebSocket {
  const { ca } = options;
  const authorities = ca === undefined ? {} : { ca: typeof ca === "string" || Buffer.isBuffer(ca) ? ca : [...ca] };
  // The types of ws lag behind: they do not know closeTimeout.
  const complete: WebSocket.ClientOptions & { readonly closeTimeout: number } = {
    ...socketOptions,
    ...(options.mask === "zero" ? { generateMask: zeroMask } : {}),
    ...authorities,
    headers: { ...options.headers },
    handshakeTimeout: options.handshakeTimeoutMs,
    closeTimeout: options.closeTimeoutMs ?? defaultCloseTimeoutMs,
    followRedirects: false,
  };
  // They know createConnection only in the form that answers at once; node:http also takes a callback.
  const { connect } = options;
  if (connect) Object.assign(complete, { createConnection: connector(new URL(url), { authorities, connect }) });
  const socket = new WebSocket(url, protocolName, complete);
  setMasking(socket, options.mask);
  return socket;
}

type Connector = NonNullable<ClientRequestArgs["createConnection"]>;

/** What node:http asks for a connection: the one that `connect` makes, with TLS over it where the URL wants that. */
function connector(
  url: URL,
  how: {
    readonly authorities: Pick<TlsOptions, "ca">;
    readonly connect: NonNullable<DialOptions["connect"]>;
  },
): Connector {
  const host = url.hostname.replace(/^\[|\]$/gu, "");
  return (_options, done) => {
    how.connect((error, socket) => {
      if (error || !socket) done(error ?? new Error("no connection"), new Socket());
      else if (url.protocol !== "wss:") done(null, socket);
      else {
        const name = isIP(host) === 0 ? { servername: host } : { host };
        done(null, connectTls({ socket, ...name, ...how.authorities, ALPNProtocols: ["http/1.1"] }));
      }
    });
    return undefined;
  };
}

/** Options of {@link createSessionServer}. */
export interface SessionServerOptions {
  /** How long a peer may take to answer a close, in milliseconds. Default 30,000. */
  readonly closeTimeoutMs?: number;
}

/** A WebSocket server without a port: it is given sockets by `handleUpgrade`. It keeps no list of its clients. */
export function createSessionServer(options: SessionServerOptions = {}): WebSocketServer {
  // The types of ws lag behind: they do not know closeTimeout.
  const complete: ServerOptions & { readonly closeTimeout: number } = {
    ...socketOptions,
    noServer: true,
    clientTracking: false,
    handleProtocols: chooseProtocol,
    closeTimeout: options.closeTimeoutMs ?? defaultCloseTimeoutMs,
  };
  return new WebSocketServer(complete);
}

/** Whether a `Sec-WebSocket-Protocol` field offers caisson.v1. An upgrade that does not must be refused. */
export function offersProtocol(field: string | undefined): boolean {
  return field !== undefined && field.split(",").some((name) => name.trim() === protocolName);
}

function chooseProtocol(offered: Set<string>): string | false {
  return offered.has(protocolName) ? protocolName : false;
}

function zeroMask(mask: Buffer): void {
  mask.fill(0);
}
