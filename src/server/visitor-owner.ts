// Who holds the visitors' connections, what one is made of, and what becomes of sockets that leave it.

import type { Socket } from "node:net";
import type { TraceContext } from "../lifecycle/events.ts";
import type { SocketOutlet } from "../mux/socket-outlet.ts";
import type { Stream } from "../mux/stream.ts";
import type { Edge } from "./edge.ts";
import type { Tunnel } from "./tunnel.ts";
import type { VisitorConnection } from "./visitor-connection.ts";

/** Who may come in by an address that the server listens on: clients have one of their own, or share that of visitors. */
export type Door = "everybody" | "visitors" | "clients";

/** What an accepted connection is made of. */
export interface AcceptedConnection {
  /** Where bytes are read and written: the TCP socket, or the TLS socket over it. */
  readonly socket: Socket;
  /** The TCP socket itself, which alone can be reset. */
  readonly raw: Socket;
  /** The visitor's address. */
  readonly address: string;
  readonly scheme: "http" | "https";
  readonly door: Door;
  /** The name that a TLS visitor asked for, lower-case. */
  readonly serverName?: string;
}

/** A connection whose request is for the server itself. */
export interface OwnConnection {
  readonly socket: Socket;
  /** The TCP socket itself. */
  readonly raw: Socket;
  /** The visitor's address. */
  readonly address: string;
  /** Its canonical head, and what may be read behind it. */
  readonly bytes: Buffer;
  /** A client that asks to be let in. */
  readonly login: boolean;
}

/** Who owns accepted sockets, and what is done with those that leave this class. */
export interface VisitorOwner {
  readonly edge: Edge;
  /** The connection ended; it is no longer to be held. */
  onVisitorClosed(visitor: VisitorConnection): void;
  /** The request is for the server itself and goes to its own pages. */
  onOwnRequest(own: OwnConnection): void;
  /** The exchange was upgraded: the socket belongs to a pipe from here on. */
  onPipe(pipe: UpgradedConnection): void;
}

/** An exchange whose 101 was accepted. */
export interface Upgrade extends Pick<UpgradedConnection, "stream" | "tunnel" | "trace"> {
  /** The response head. */
  readonly firstBytes: Buffer;
}

/** What a pipe needs to take over. */
export interface UpgradedConnection {
  readonly socket: Socket;
  /** The TCP socket itself, which alone can be reset. */
  readonly raw: Socket;
  readonly stream: Stream;
  readonly tunnel: Tunnel;
  /** What the visitor sent behind its upgrade request. */
  readonly early: Buffer;
  /** The socket's writer. */
  readonly outlet: SocketOutlet;
  /** The trace of the exchange, or of the opening of a raw connection. */
  readonly trace: TraceContext | undefined;
}
