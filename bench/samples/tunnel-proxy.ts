// A small tunnel in the manner of the servers that this project is named against: clients connect by WebSocket, visitors'
// requests go to them by name. It knows nothing of Caisson. What happens to a connection's entry once it has closed is
// left to whoever starts it; that is all in which leaky.ts and fixed.ts differ.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { ClientConnection } from "./client-connection.ts";

/** How a sample server is started. */
export interface TunnelProxyOptions {
  /** Called when a connection has closed, with all entries. */
  readonly onClosed: (connections: ClientConnection[], closed: ClientConnection) => void;
}

/** The server of the story: an array of connections, searched for each request. */
export class TunnelProxy {
  readonly connections: ClientConnection[] = [];
  readonly #onClosed: TunnelProxyOptions["onClosed"];
  readonly #server: Server;

  constructor({ onClosed }: TunnelProxyOptions) {
    this.#onClosed = onClosed;
    this.#server = createServer((request, response) => this.#visit(request, response));
    new WebSocketServer({ server: this.#server, maxPayload: 65_536 }).on("connection", (socket, request) => {
      const connection = new ClientConnection(nameIn(request), socket);
      this.connections.push(connection);
      socket.once("close", () => this.#onClosed(this.connections, connection));
      connection.greet();
    });
  }

  /** Listens on a port of loopback, 0 for any, and prints where. */
  listen(port: number): void {
    this.#server.listen(port, "127.0.0.1", () => {
      const address = this.#server.address();
      const bound = typeof address === "object" && address !== null ? address.port : port;
      process.stdout.write(`listening on http://127.0.0.1:${bound}\n`);
    });
  }

  #visit(request: IncomingMessage, response: ServerResponse): void {
    const name = nameIn(request);
    const found = this.connections.find((connection) => connection.isOpen && connection.name === name);
    if (found) found.forward(request.url ?? "/", response);
    else response.writeHead(404).end(`no tunnel ${name}\n`);
  }
}

/** The first part of the path. */
function nameIn(request: IncomingMessage): string {
  return (request.url ?? "/").split("/")[1] ?? "";
}
