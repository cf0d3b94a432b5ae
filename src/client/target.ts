// Where a tunnel leads: the words a user types for it, checked once, as plain facts.
// It opens nothing, and it is the only source of addresses that the client ever connects to.

import { isIP } from "node:net";
import { CaissonError } from "../lifecycle/errors.ts";

/** One or several PEM certificates. */
export type Certificates = string | Buffer | readonly (string | Buffer)[];

/** What may be said about a target beside its address. */
export interface TargetOptions {
  /** Certificate authorities, as PEM, that replace the system's for this target. */
  readonly ca?: Certificates;
  /** Accept any certificate of the target. Default false. */
  readonly insecure?: boolean;
  /** The Host that the target sees: `rewrite` for the target's own, or any other value as it is. Default: the visitor's. */
  readonly hostHeader?: string;
  /**
   * Ports of this machine that are no targets: the client's own admin listener, a server's beside it. They are refused
   * by address here, and again when a name turns out to lead to this machine.
   */
  readonly forbiddenPorts?: readonly number[];
}

/** A checked target. */
export interface Target {
  /** For people: `http://localhost:8000`, or `localhost:22` when it is no HTTP service. */
  readonly text: string;
  readonly tls: boolean;
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** The name for TLS server name indication; empty for IP addresses, which have none. */
  readonly serverName: string;
  readonly ca: Certificates | undefined;
  readonly insecure: boolean;
  /** Replaces the visitor's Host field; undefined keeps it. */
  readonly hostHeader: Buffer | undefined;
  readonly forbiddenPorts: readonly number[];
}

/** What the target speaks: HTTP/1.1, whatever a TCP visitor sends, or TLS with a certificate of its own. */
export type TargetKind = "http" | "tcp" | "tls";

const forms: Readonly<Record<TargetKind, string>> = {
  http: "8000, host:port, http://host:port or https://host:port",
  tcp: "22 or host:port",
  tls: "8443 or host:port",
};

/**
 * Reads `8000`, `host:port`, `http://host:port` or `https://host:port` (for `tcp` and `tls` only the first two).
 * Throws E_USAGE, saying what to write instead; also for options that mean nothing to the kind.
 */
export function parseTarget(kind: TargetKind, text: string, options: TargetOptions = {}): Target {
  const { tls, host, port, scheme } = parseAddress(kind, text.trim());
  const forbiddenPorts = options.forbiddenPorts ?? [];
  if (kind !== "http" && (options.hostHeader !== undefined || options.ca !== undefined || options.insecure === true)) {
    throw usage(
      `the bytes of a tunnel of type ${kind} pass as they are: leave out the Host and the certificates of its target`,
    );
  }
  if (options.ca !== undefined) checkCertificates(options.ca, "target");
  if (isThisMachine(host) && forbiddenPorts.includes(port)) {
    throw usage(`${shown(host, port)} is a private admin listener of Caisson: choose the port of your own service`);
  }
  const authority = port === (tls ? 443 : 80) ? bracketed(host) : shown(host, port);
  return {
    text: scheme === "" ? shown(host, port) : `${scheme}//${shown(host, port)}`,
    tls,
    host,
    port,
    serverName: isIP(host) === 0 ? host : "",
    ca: options.ca,
    insecure: options.insecure ?? false,
    hostHeader: parseHostHeader(options.hostHeader, authority),
    forbiddenPorts,
  };
}

/** Throws E_USAGE for what holds no certificate: TLS itself would ignore it and trust nobody. */
export function checkCertificates(ca: Certificates, whose: string): void {
  const parts = typeof ca === "string" || Buffer.isBuffer(ca) ? [ca] : ca;
  if (parts.length > 0 && parts.every((part) => part.includes("-----BEGIN "))) return;
  throw usage(`the ${whose}'s certificate authority is no PEM file: it holds no "-----BEGIN CERTIFICATE-----"`);
}

/** Whether a host, as typed, surely is this machine. */
export function isThisMachine(host: string): boolean {
  return isLoopback(host) || host === "0.0.0.0" || host === "::";
}

/** Whether a host, as typed, is loopback: by its address, or a name that RFC 6761 keeps for it. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  if (isIP(name) === 4) return name.startsWith("127.");
  return name === "::1" || /^::ffff:(?:127\.|7f[0-9a-f]{2}:)/.test(name);
}

interface Address {
  readonly scheme: "" | "http:" | "https:";
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
}

function parseAddress(kind: TargetKind, text: string): Address {
  const form = forms[kind];
  const plain = kind === "http" ? "http:" : "";
  if (/^\d+$/.test(text)) {
    return { scheme: plain, tls: false, host: "localhost", port: portOf(text, text) };
  }
  const match = /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^/?#]*)(.*)$/i.exec(text);
  const scheme = match?.[1]?.toLowerCase();
  const authority = match?.[2] ?? "";
  const rest = match?.[3] ?? "";
  if (scheme !== undefined && (kind !== "http" || (scheme !== "http" && scheme !== "https"))) {
    throw usage(`the target ${quoted(text)} has a scheme that cannot be forwarded: write ${form}`);
  }
  if (rest !== "" && rest !== "/") {
    throw usage(`the target ${quoted(text)} has a path: write ${form}, every path of it is forwarded`);
  }
  if (authority.includes("@")) {
    throw usage("a target has no user name or password: visitors log in to the service themselves");
  }
  const parts = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]*))(?::(.*))?$/i.exec(authority);
  const host = parts?.[1] ?? parts?.[2] ?? "";
  const portText = parts?.[3];
  if (!parts || !isHost(host, parts[1] !== undefined)) {
    throw usage(`the target ${quoted(text)} is no address: write ${form}`);
  }
  if (portText === undefined && scheme === undefined) {
    throw usage(`the target ${quoted(text)} has no port: write ${bracketed(host)}:PORT`);
  }
  const tls = scheme === "https";
  const port = portText === undefined ? (tls ? 443 : 80) : portOf(portText, text);
  return { scheme: tls ? "https:" : plain, tls, host, port };
}

function isHost(host: string, inBrackets: boolean): boolean {
  if (inBrackets) return isIP(host) === 6;
  if (host === "" || host.length > 253) return false;
  // All digits and dots but no IPv4 address is a slip such as 127.0.0.300, not a name.
  if (/^[\d.]+$/.test(host)) return isIP(host) === 4;
  return host.split(".").every((label, at, labels) => {
    return /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label) || (label === "" && at === labels.length - 1);
  });
}

function portOf(digits: string, text: string): number {
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port < 1 || port > 65_535) throw usage(`the target ${quoted(text)} has no valid port: use 1 to 65535`);
  return port;
}

function parseHostHeader(value: string | undefined, authority: string): Buffer | undefined {
  if (value === undefined) return undefined;
  if (value === "rewrite") return Buffer.from(authority, "latin1");
  if (!/^(?:\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::\d{1,5})?$/i.test(value)) {
    throw usage(
      `${quoted(value)} cannot be a Host field: write a name such as app.test or app.test:8000, or "rewrite"`,
    );
  }
  return Buffer.from(value, "latin1");
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function shown(host: string, port: number): string {
  return `${bracketed(host)}:${port}`;
}

/** What the user typed, shortened and without bytes that a terminal would act upon. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}

function usage(message: string): CaissonError {
  return new CaissonError("E_USAGE", message);
}
