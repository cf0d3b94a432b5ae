// Whose a request is: the server's own, a tunnel's, or nobody's, and whether it is turned away before that matters.

import type { RequestHead } from "../http1/head.ts";
import type { Edge } from "./edge.ts";
import { passedBefore } from "./forwarding.ts";
import type { GatewayAnswer } from "./gateway-answers.ts";
import { badRequestAnswer, gatewayAnswers, loopAnswer } from "./gateway-answers.ts";

/** Where clients connect, on the server's own hosts. */
export const connectPath = "/_caisson/connect";

/** What is to be done with a request. */
export type Route =
  | { readonly to: "own" }
  | { readonly to: "tunnel"; readonly name: string }
  | { readonly to: "refusal"; readonly answer: GatewayAnswer; readonly reason: string };

const own: Route = { to: "own" };
const loop: Route = { to: "refusal", answer: loopAnswer, reason: "loop" };
const tooManyAborts: Route = { to: "refusal", answer: gatewayAnswers.overloaded, reason: "aborts" };
const unknownHost: Route = { to: "refusal", answer: gatewayAnswers.no_tunnel, reason: "unknown_host" };
const bodyTooLarge: Route = {
  to: "refusal",
  answer: badRequestAnswer(413, "body_too_large"),
  reason: "body_too_large",
};
const bodyForOwnPage: Route = {
  to: "refusal",
  answer: badRequestAnswer(413, "body_not_expected"),
  reason: "body_not_expected",
};

/** Decides by Host, and by the limits that do not need a tunnel. `address` is the visitor's. */
export function routeOf(head: RequestHead, options: { readonly edge: Edge; readonly address: string }): Route {
  const { edge, address } = options;
  const owner = edge.address.ownerOf(head.host);
  if (owner.kind === "own" && (edge.catchAll === undefined || isConnectRequest(head))) {
    return head.body === "none" ? own : bodyForOwnPage;
  }
  if (head.contentLength > edge.limits.maxBodyBytes) return bodyTooLarge;
  if (passedBefore(head, edge.viaName)) return loop;
  if (edge.aborts.blocks(address)) return tooManyAborts;
  const { catchAll } = edge;
  // A name that is live or held is never the catch-all's; any other is, like every unknown host.
  if (owner.kind === "tunnel" && (catchAll === undefined || edge.names.find(owner.name) !== undefined)) {
    return { to: "tunnel", name: owner.name };
  }
  return catchAll === undefined ? unknownHost : { to: "tunnel", name: catchAll };
}

function isConnectRequest(head: RequestHead): boolean {
  const path = head.target;
  return path === connectPath || path.startsWith(`${connectPath}?`);
}
