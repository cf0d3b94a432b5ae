// Decides from the head alone whether a request may have come from where it says: no page of another origin, no name that
// was rebound to this address, and nothing that came through a proxy or a tunnel. Pure; it knows nothing of tokens.

import type { IncomingHttpHeaders } from "node:http";

/** What the guard looks at. */
export interface GuardedRequest {
  readonly method: string;
  /** Every field by lower-case name with all of its values. */
  readonly fields: Readonly<Record<string, readonly string[] | undefined>>;
  /** The address of this end of the connection; undefined on a unix socket. */
  readonly localAddress: string | undefined;
}

/** Names under which the listener may be asked for, besides loopback and the address that was reached. */
export type AllowedHosts = ReadonlySet<string>;

const hostPattern = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9.-]{1,253})(?::\d{1,5})?$/u;
/** Fields that only proxies and tunnels set. */
const forwardedPattern = /^(?:via|forwarded|x-forwarded(?:-.*)?|caisson-.*)$/u;

/** Why a request is refused with 403, or undefined if it may go on. */
export function refusalOf(request: GuardedRequest, allowed: AllowedHosts): string | undefined {
  const { fields } = request;
  const forwarded = Object.keys(fields).find((name) => forwardedPattern.test(name));
  if (forwarded !== undefined)
    return `requests that came through a proxy or a tunnel (${forwarded}) are not served here`;
  const [host, second] = fields["host"] ?? [];
  if (host === undefined || second !== undefined) return "exactly one Host field is needed";
  if (!isOwnHost(host, request.localAddress, allowed)) {
    return "this Host is not this listener's; use 127.0.0.1, or name it with --admin-host";
  }
  return originRefusal(request, host.toLowerCase());
}

/** Whether two spellings are the same origin as the one that the Host names. */
export function isSameOrigin(origin: string, host: string): boolean {
  const lower = origin.toLowerCase();
  return lower === `http://${host}` || lower === `https://${host}`;
}

/** Whether an address of a peer is this machine's loopback; a unix socket has none and counts as such. */
export function isLoopbackPeer(address: string | undefined): boolean {
  return address === undefined || isLoopbackName(bareAddress(address));
}

/** An address without the IPv6 form of an IPv4 one. */
export function bareAddress(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/u, "");
}

/** All fields of a request with all of their values, for the guard. */
export function fieldsOf(headers: NodeJS.Dict<string[]> | IncomingHttpHeaders): GuardedRequest["fields"] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? [value] : value]),
  );
}

function isOwnHost(host: string, localAddress: string | undefined, allowed: AllowedHosts): boolean {
  const name = hostPattern.exec(host.toLowerCase())?.[1]?.replaceAll(/^\[|\]$|\.$/gu, "");
  if (name === undefined) return false;
  // A name that resolves to this address by rebinding is still another name; an address cannot be rebound.
  return (
    isLoopbackName(name) || allowed.has(name) || (localAddress !== undefined && name === bareAddress(localAddress))
  );
}

function isLoopbackName(name: string): boolean {
  return name === "localhost" || name === "::1" || /^127(?:\.\d{1,3}){3}$/u.test(name);
}

function originRefusal(request: GuardedRequest, host: string): string | undefined {
  const { fields, method } = request;
  const origins = fields["origin"] ?? [];
  if (!origins.every((origin) => isSameOrigin(origin, host))) return "requests of other origins are not served here";
  const site = fields["sec-fetch-site"]?.[0] ?? "none";
  if (site === "same-origin" || site === "none") return undefined;
  // A link on another page may lead here; its scripts, images and forms may not.
  const follows =
    method === "GET" && fields["sec-fetch-mode"]?.[0] === "navigate" && fields["sec-fetch-dest"]?.[0] === "document";
  return follows ? undefined : "requests of other sites are not served here";
}
