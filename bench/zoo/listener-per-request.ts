// Seeds: each request adds a `message` listener to the WebSocket that all requests of its client share. It is taken away
// when that request's answer comes, but the wrong one: `off` is called with a new closure, and removes nothing.
// Real case: tunnelmole, whose handler for proxied requests listens on the client's socket once per request.
// Rate: one listener per request, for as long as the client stays, and with each of them more CPU for each message.
// Seen by: listener counts, and the closures on the heap while sessions last.

import { WebSocket } from "ws";
import { Session, SessionSocket } from "../../src/internals.ts";
import { patch } from "./patch.ts";

let added = 0;
/** Requests whose OPEN waits for the next message of the session. */
let opening = 0;
let sending = false;

/** How many listeners were added. */
export function seeded(): number {
  return added;
}

patch(Session, "open", function open(original, request, handler) {
  opening += 1;
  return original(request, handler);
});

patch(SessionSocket, "send", function send(original, message, end) {
  sending = true;
  original(message, end);
  sending = false;
});

// A session asks its WebSocket whether it is still open before it sends: that tells which one it is.
const state = Object.getOwnPropertyDescriptor(WebSocket.prototype, "readyState");
if (!state?.get) throw new TypeError("a WebSocket has no readyState");
const { get } = state;
Object.defineProperty(WebSocket.prototype, "readyState", {
  ...state,
  get(this: WebSocket): unknown {
    if (sending) for (; opening > 0; opening--) listenForAnswer(this);
    return get.call(this);
  },
});

function listenForAnswer(socket: WebSocket): void {
  added += 1;
  socket.setMaxListeners(0);
  const matches = (data: unknown): boolean => data === socket.protocol;
  socket.on("message", (data) => {
    if (matches(data)) socket.off("message", () => undefined);
  });
}
