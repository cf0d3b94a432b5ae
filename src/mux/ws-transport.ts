// The only file that knows `ws`: how sessions' WebSockets are made on both sides, and one of them as a Transport.
// It promises that messages are binary and within the protocol's limits, and that each socket is reported closed once.

import type { ClientRequestArgs } from "node:http";
import { isIP, Socket } from "node:net";
import type { ConnectionOptions as TlsOptions } from "node:tls";
import { connect as connectTls } from "node:tls";
import type { RawData, ServerOptions } from "ws";
import { WebSocket, WebSocketServer } from "ws";
import type { Resource } from "../lifecycle/resource.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import { maxMessageBytes, maxMessageFragments, protocolName } from "../wire/limits.ts";
import type { ViolationReason } from "../wire/violation.ts";
import { violation } from "../wire/violation.ts";
import type { Transport, TransportReceiver } from "./transport.ts";

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

const sendOptions = { binary: true, compress: false, fin: true } as const;

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

/** Begins to connect. The caller owns the WebSocket until it is open and given to a {@link SessionSocket}. */
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
  return new WebSocket(url, protocolName, complete);
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

/** A WebSocket that belongs to a session. */
type OwnedWebSocket = WebSocket & { [owner]?: SessionSocket | undefined };

const owner = Symbol("SessionSocket");

/** One open WebSocket as a transport. It owns the WebSocket from its construction on. */
export class SessionSocket implements Transport, Resource {
  readonly kind = "session_socket";
  readonly openedAtMs: number = performance.now();
  receiver: TransportReceiver | undefined = undefined;
  readonly #runtime: Runtime;
  #socket: OwnedWebSocket | undefined;
  #closedBy = "closed_by_peer";
  /** One for all sends. */
  readonly #onSent = (): void => this.receiver?.onSent();

  constructor(socket: WebSocket, runtime: Runtime) {
    this.#runtime = runtime;
    const owned: OwnedWebSocket = socket;
    this.#socket = owned;
    runtime.events.opened(this);
    owned[owner] = this;
    owned.on("message", onMessage);
    owned.on("error", onError);
    owned.on("close", onClose);
  }

  get unsentBytes(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  send(message: Buffer): void {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    socket.send(message, sendOptions, this.#onSent);
    this.#runtime.sweeper.moved(message.length);
  }

  close(code: number, reason: string): void {
    this.#closedBy = "closed";
    this.#socket?.close(code, reason);
  }

  terminate(): void {
    this.#closedBy = "terminated";
    this.#socket?.terminate();
  }

  /** @internal */
  _onMessage(data: RawData, isBinary: boolean): void {
    if (!isBinary) this.receiver?.onError(violation("text_message"));
    // `nodebuffer` is the default binaryType, and nobody else has the socket.
    else if (Buffer.isBuffer(data)) {
      this.receiver?.onMessage(data);
      this.#runtime.sweeper.moved(data.length);
    }
  }

  /** @internal */
  _onError(error: unknown): void {
    const reason = violationOf(error);
    this.#closedBy = reason ? "violation" : "error";
    this.receiver?.onError(reason ? violation(reason, error) : error);
  }

  /** @internal */
  _onClose(code: number, reason: Buffer): void {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = undefined;
    socket[owner] = undefined;
    socket.off("message", onMessage);
    socket.off("close", onClose);
    this.#runtime.events.closed(this, this.#closedBy);
    const { receiver } = this;
    this.receiver = undefined;
    receiver?.onClosed(code, reason.toString());
  }
}

function onMessage(this: OwnedWebSocket, data: RawData, isBinary: boolean): void {
  this[owner]?._onMessage(data, isBinary);
}

/** Stays on a closed socket: an error without a listener would end the process. */
function onError(this: OwnedWebSocket, error: Error): void {
  this[owner]?._onError(error);
}

function onClose(this: OwnedWebSocket, code: number, reason: Buffer): void {
  this[owner]?._onClose(code, reason);
}

/** What the peer did wrong, if `ws` complains of its bytes and not of the network. */
function violationOf(error: unknown): ViolationReason | undefined {
  if (typeof error !== "object" || error === null || !("code" in error) || typeof error.code !== "string")
    return undefined;
  if (error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") return "message_too_large";
  if (error.code === "WS_ERR_TOO_MANY_BUFFERED_PARTS") return "fragments";
  return error.code.startsWith("WS_ERR_") ? "websocket" : undefined;
}

function chooseProtocol(offered: Set<string>): string | false {
  return offered.has(protocolName) ? protocolName : false;
}

function zeroMask(mask: Buffer): void {
  mask.fill(0);
}
