// How a visitor's request head and a target's response head are changed on their way through: which fields go, and
// which are set. Hop-by-hop fields and those that Connection names go first (http1/compose.ts), ours are set after.

import type { ComposedRequest } from "../http1/compose.ts";
import { composeRequest } from "../http1/compose.ts";
import { fieldIds } from "../http1/fields.ts";
import type { RequestHead } from "../http1/head.ts";
import type { TraceContext } from "../lifecycle/events.ts";
import type { PublicAddress } from "./public-address.ts";
import type { Door } from "./visitor-owner.ts";

/** What is known of the visitor's connection, the same for all its requests. */
export interface VisitorOrigin {
  /** The visitor's address. */
  readonly address: string;
  readonly scheme: "http" | "https";
  /** By which address it came in. */
  readonly door: Door;
  /** The name that a TLS visitor asked for, lower-case; undefined if none, or without TLS. */
  readonly serverName: string | undefined;
  /** The peer is a trusted proxy, whose forwarding fields are continued instead of replaced. */
  readonly trusted: boolean;
  /** The fields that are the same for each request of an untrusted peer, as complete lines. */
  readonly fixedLines: string;
}

function dropTable(...ids: readonly number[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const id of ids) table[id] = 1;
  return table;
}

const forwardedFor = fieldIds["x-forwarded-for"];
const forwardedProto = fieldIds["x-forwarded-proto"];
const forwardedHost = fieldIds["x-forwarded-host"];
const claims = [
  forwardedFor,
  forwardedProto,
  forwardedHost,
  fieldIds["x-forwarded-port"],
  fieldIds["x-real-ip"],
  fieldIds["x-forwarded"],
  fieldIds.forwarded,
];
const always = [fieldIds.caisson, fieldIds.shadow];
const trace = [fieldIds.traceparent, fieldIds.tracestate];

const dropFromStrangers = dropTable(...always, ...claims);
const dropFromStrangersTraced = dropTable(...always, ...claims, ...trace);
const dropFromProxies = dropTable(...always, forwardedFor);
const dropFromProxiesTraced = dropTable(...always, forwardedFor, ...trace);

/** The server's own pages get what the visitor said. */
const keepAll = dropTable();

/** What is removed from targets' responses: fields that only this server may set. */
export const dropFromTargets: Uint8Array = dropTable(fieldIds.caisson);

/** The origin of an accepted connection. */
export function visitorOrigin(options: {
  readonly address: string;
  readonly scheme: "http" | "https";
  readonly door: Door;
  readonly serverName?: string;
  readonly trusted: boolean;
  readonly viaName: string;
}): VisitorOrigin {
  const { address, scheme, door, serverName, trusted, viaName } = options;
  const via = `Via: 1.1 ${viaName}\r\n`;
  const claimed = `X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: ${scheme}\r\nX-Real-IP: ${address}\r\n`;
  return { address, scheme, door, serverName, trusted, fixedLines: trusted ? via : claimed + via };
}

/** How one request goes on. */
export interface ForwardOptions {
  readonly origin: VisitorOrigin;
  /** Knows the Host for a request of HTTP/1.0 that has none. */
  readonly address: PublicAddress;
  readonly tunnelName: string;
  /** Pass `Upgrade: websocket` on. */
  readonly upgrade: boolean;
  readonly trace: TraceContext | undefined;
}

/** The canonical head that enters the tunnel. */
export function forwardRequest(head: RequestHead, options: ForwardOptions): ComposedRequest {
  const { origin, trace: context } = options;
  const authority = head.authority || options.address.directOf(options.tunnelName).host;
  let suffix = origin.trusted
    ? continuedLines(head, origin) + origin.fixedLines
    : `${origin.fixedLines}X-Forwarded-Host: ${authority}\r\n`;
  const traced = context !== undefined && context.headerLines !== "";
  if (traced) {
    suffix += context.headerLines;
    for (const name of context.replaces ?? []) head.leaveOut(name);
  }
  return composeRequest(head, {
    drop: dropFor(origin.trusted, traced),
    suffix,
    upgrade: options.upgrade,
    authority,
  });
}

/** The head for the server's own pages, and `rest` if it belongs to it: only an upgrade is followed by bytes of its own. */
export function ownRequest(head: RequestHead, rest: Buffer): Buffer {
  const upgrade = head.upgradeWebsocket;
  const suffix = upgrade ? "" : "Connection: close\r\n";
  const { bytes } = composeRequest(head, { drop: keepAll, suffix, upgrade, authority: head.authority });
  return upgrade && rest.length > 0 ? Buffer.concat([bytes, rest]) : bytes;
}

/** Whether the request already passed a server of this name. */
export function passedBefore(head: RequestHead, viaName: string): boolean {
  if (head.find(fieldIds.via) < 0) return false;
  for (let index = 0; index < head.fieldCount; index += 1) {
    if (head.fieldId[index] === fieldIds.via && head.valueOf(index).includes(viaName)) return true;
  }
  return false;
}

/** Whether the visitor's own connection is encrypted, here or at a trusted proxy. */
export function isEncrypted(head: RequestHead, origin: VisitorOrigin): boolean {
  return origin.scheme === "https" || (origin.trusted && head.field("x-forwarded-proto")?.toLowerCase() === "https");
}

function dropFor(trusted: boolean, traced: boolean): Uint8Array {
  if (trusted) return traced ? dropFromProxiesTraced : dropFromProxies;
  return traced ? dropFromStrangersTraced : dropFromStrangers;
}

/** A trusted proxy's chain with the proxy's own address appended, and what it did not say. */
function continuedLines(head: RequestHead, origin: VisitorOrigin): string {
  const chain: string[] = [];
  for (let index = 0; index < head.fieldCount; index += 1) {
    if (head.fieldId[index] === forwardedFor) chain.push(head.valueOf(index));
  }
  chain.push(origin.address);
  let lines = `X-Forwarded-For: ${chain.join(", ")}\r\n`;
  if (head.find(forwardedProto) < 0) lines += `X-Forwarded-Proto: ${origin.scheme}\r\n`;
  if (head.find(forwardedHost) < 0) lines += `X-Forwarded-Host: ${head.authority}\r\n`;
  return lines;
}
