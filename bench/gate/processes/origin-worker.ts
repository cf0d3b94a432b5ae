// The local service behind every tunnel of a gate run, in a process of its own. What it does is in the path; see bodies.ts.

import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { fixedBody, fixedPath, hugeBody, largeBody, smallBody } from "../network/bodies.ts";
import { portOf } from "../network/port-of.ts";
import { answerOrders } from "./answer-orders.ts";
import type { Counts } from "./orders.ts";

/** What the origin can be told: where it listens is all that there is to say. Answers `port`. */
export interface OriginOrder {
  readonly do: "listen";
}

const huge = hugeBody();
/** The kernel widens its buffers for a visitor who reads fast at first. */
const hugeTimes = 4;
const server = createServer({ keepAliveTimeout: 5_000 }, answer);
const webSockets = new WebSocketServer({ noServer: true });

server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
  webSockets.handleUpgrade(request, socket, head, (webSocket) => {
    webSocket.on("message", (data, isBinary) => webSocket.send(data, { binary: isBinary }));
    webSocket.on("error", () => webSocket.terminate());
  });
});

function answer(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url ?? "/";
  request.resume();
  response.on("error", () => undefined); // The tunnel cut the connection: what the scenario wanted.
  if (path === fixedPath) {
    response.end(fixedBody);
    return;
  }
  switch (path.split("/")[1]) {
    case "large":
      response.end(largeBody(path));
      return;
    case "huge":
      // It never ends by itself: only its visitor does that.
      response.writeHead(200, { "Content-Length": (hugeTimes + 1) * huge.length });
      for (let n = 0; n < hugeTimes; n += 1) response.write(huge);
      return;
    case "silent":
      // Answers never. The request ends when its visitor leaves.
      return;
    case "reset":
      request.socket.resetAndDestroy();
      return;
    case "half":
      response.writeHead(200, { "Content-Length": 100_000 });
      response.write(Buffer.alloc(10_000), () => request.socket.resetAndDestroy());
      return;
    default:
      response.end(smallBody(request.headers.host ?? "", path));
  }
}

async function carryOut(): Promise<Counts> {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return { port: portOf(server) };
}

answerOrders<OriginOrder>(carryOut);
