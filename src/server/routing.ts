// Whose a request is: the server's own, a tunnel's, or nobody's, and whether it is turned away before that matters.

import type { RequestHead } from "../http1/head.ts";
import type { Edge } from "./edge.ts";
import type { VisitorOrigin } from "./forwarding.ts";
import { isEncrypted, passedBefore } from "./forwarding.ts";
import type { ServerAnswer } from "./gateway-answers.ts";
import {
  badRequestAnswer,
  clientsElsewhereAnswer,
  clientsOnlyAnswer,
  gatewayAnswers,
  loopAnswer,
  passedOnlyAnswer,
  redirectAnswer,
} from "./gateway-answers.ts";
import type { HostOwner } from "./public-address.ts";

/** Where clients connect, on the server's own hosts. */
export const connectPath = "/_caisson/connect";

/** What is to be done with a request. */
export type Route =
  | { readonly to: "own" }
  | { readonly to: "tunnel"; readonly name: string }
  | { readonly to: "refusal"; readonly answer: ServerAnswer; readonly reason: string };

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

const passedOnly: Route = { to: "refusal", answer: passedOnlyAnswer, reason: "tls_only" };
const clientsOnly: Route = { to: "refusal", answer: clientsOnlyAnswer, reason: "clients_only" };
const clientsElsewhere: Route = { to: "refusal", answer: clientsElsewhereAnswer, reason: "clients_elsewhere" };
const misdirected: Route = { to: "refusal", answer: badRequestAnswer(421, "misdirected"), reason: "misdirected" };

/** Decides by Host, and by the limits that do not need a tunnel. `origin` is the visitor's connection. */
export function routeOf(head: RequestHead, options: { readonly edge: Edge; readonly origin: VisitorOrigin }): Route {
  const { edge, origin } = options;
  const { address, door, serverName } = origin;
  if (door === "clients") return clientRoute(head);
  const owner = edge.address.ownerOf(head.host);
  // A connection that was opened for one owner's name carries no requests for another's (RFC 9110 section 7.4).
  if (serverName !== undefined && serverName !== head.host && !sameOwner(owner, edge.address.ownerOf(serverName))) {
    return misdirected;
  }
  if (edge.redirectHttps && !isEncrypted(head, origin) && !isConnectRequest(head)) {
    const location = edge.address.encryptedUrl(owner, head);
    if (location !== undefined) return { to: "refusal", answer: redirectAnswer(location), reason: "redirected" };
  }
  if (owner.kind === "own" && (edge.catchAll === undefined || isConnectRequest(head))) {
    if (door === "visitors" && isConnectRequest(head)) return clientsElsewhere;
    return head.body === "none" ? own : bodyForOwnPage;
  }
  if (head.contentLength > edge.limits.maxBodyBytes) return bodyTooLarge;
  if (passedBefore(head, edge.viaName)) return loop;
  if (edge.aborts.blocks(address)) return tooManyAborts;
  const { catchAll } = edge;
  if (owner.kind === "tunnel") {
    const holder = edge.names.find(owner.name);
    if (holder?.type === "tls") return passedOnly;
    // A name that is live or held is never the catch-all's; any other is, like every unknown host.
    if (holder !== undefined || catchAll === undefined) return { to: "tunnel", name: owner.name };
  }
  return catchAll === undefined ? unknownHost : { to: "tunnel", name: catchAll };
}

/** Whatever it calls this server: who came by the clients' address is a client, or nobody. */
function clientRoute(head: RequestHead): Route {
  if (!isConnectRequest(head)) return clientsOnly;
  return head.body === "none" ? own : bodyForOwnPage;
}

function sameOwner(one: HostOwner, other: HostOwner): boolean {
  if (one.kind === "tunnel" && other.kind === "tunnel") return one.name === other.name;
  return one.kind === other.kind;
}

/** Whether a request of an own host is for where clients connect. */
export function isConnectRequest(head: RequestHead): boolean {
  const path = head.target;
  return path === connectPath || path.startsWith(`${connectPath}?`);
}
