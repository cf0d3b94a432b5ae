// What becomes of sockets that leave their visitor connection, and who holds the connections themselves.

import type { Socket } from "node:net";
import type { SocketOutlet } from "../mux/socket-outlet.ts";
import type { Stream } from "../mux/stream.ts";
import type { VisitorConnection } from "./visitor-connection.ts";

/** Who owns accepted sockets, and what is done with those that leave this class. */
export interface VisitorOwner {
  /** The connection ended; it is no longer to be held. */
  onVisitorClosed(visitor: VisitorConnection): void;
  /** The request is for the server itself: head and further bytes go to its own pages. */
  onOwnRequest(visitor: VisitorConnection, request: { readonly socket: Socket; readonly bytes: Buffer }): void;
  /** The exchange was upgraded: the socket belongs to a pipe from here on. */
  onPipe(visitor: VisitorConnection, pipe: UpgradedConnection): void;
}

/** What a pipe needs to take over. */
export interface UpgradedConnection {
  readonly socket: Socket;
  readonly stream: Stream;
  /** Resets the visitor's connection. */
  readonly cut: () => void;
  /** What the visitor sent behind its upgrade request. */
  readonly initial: Buffer;
  /** The socket's writer. */
  readonly outlet: SocketOutlet;
}
