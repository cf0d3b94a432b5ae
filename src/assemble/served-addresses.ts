// Where a server is to listen, and with which certificates: what options say, checked before anything is opened.

import { CaissonError } from "../lifecycle/errors.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import type { Door } from "../server/visitor-owner.ts";
import { CertificateFiles } from "../server/certificate-files.ts";
import type { PortRange } from "../tokens/name-pattern.ts";
import { parsePortRange } from "../tokens/name-pattern.ts";
import type { HostPort } from "./host-port.ts";
import { parseHostPort } from "./host-port.ts";

/** The names of two files: a certificate and its key, both PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** The options that matter here; see ServeOptions. */
export interface AddressOptions {
  readonly listen?: string;
  readonly listenTls?: string;
  readonly listenClients?: string;
  readonly tls?: readonly TlsFiles[];
  readonly redirectHttps?: boolean;
  readonly tcpPorts?: string;
  readonly onWarning?: (message: string) => void;
}

/** An address to listen on, and for what. */
export interface ServedAddress extends HostPort {
  readonly scheme: "http" | "https";
  readonly door: Door;
}

/** Where to listen, in this order. Throws E_USAGE or E_CONFIG when the options do not fit together. */
export function servedAddresses(options: AddressOptions): readonly ServedAddress[] {
  const { listen = "127.0.0.1:8080", listenTls, listenClients, tls = [] } = options;
  if (listenTls !== undefined && tls.length === 0) {
    throw new CaissonError("E_CONFIG", "to listen for TLS, give a certificate and its key: --tls-cert F --tls-key F");
  }
  if (listenTls === undefined && tls.length > 0) {
    throw new CaissonError(
      "E_CONFIG",
      "there is a certificate but nothing listens for TLS: add --listen-tls HOST:PORT",
    );
  }
  if (listenTls === undefined && listen === "off") {
    throw new CaissonError("E_CONFIG", "with --listen off, give --listen-tls HOST:PORT: else nobody can come in");
  }
  if (options.redirectHttps === true && listenTls === undefined) {
    throw new CaissonError("E_CONFIG", "there is no HTTPS to redirect to: add --listen-tls HOST:PORT");
  }
  const addresses: ServedAddress[] = [];
  // First, so that clients never come in by the visitors' door.
  if (listenClients !== undefined) {
    const scheme = tls.length > 0 ? "https" : "http";
    addresses.push({ scheme, door: "clients", ...parseHostPort(listenClients, "listen address for clients") });
  }
  const door = listenClients === undefined ? "everybody" : "visitors";
  if (listen !== "off") addresses.push({ scheme: "http", door, ...parseHostPort(listen, "listen address") });
  if (listenTls !== undefined) {
    addresses.push({ scheme: "https", door, ...parseHostPort(listenTls, "listen address for TLS") });
  }
  return addresses;
}

/** Where TCP tunnels get their ports; undefined if they get none. Throws E_USAGE. */
export function tcpPortsOf(options: AddressOptions): { readonly host: string; readonly range: PortRange } | undefined {
  if (options.tcpPorts === undefined) return undefined;
  const range = parsePortRange(options.tcpPorts);
  const address = servedAddresses(options).find(({ door }) => door !== "clients");
  if (!range || !address) {
    throw new CaissonError("E_USAGE", `"${options.tcpPorts}" is no range of ports; write for instance 10000-10100`);
  }
  return { host: address.host, range };
}

/** The certificates that options name, not read yet; undefined if there are none. */
export function certificatesOf(
  { tls = [], onWarning = () => undefined }: AddressOptions,
  parts: { readonly runtime: Runtime; readonly pollMs: number },
): CertificateFiles | undefined {
  if (tls.length === 0) return undefined;
  return new CertificateFiles({
    ...parts,
    pairs: tls.map(({ cert, key }) => ({ certFile: cert, keyFile: key })),
    onWarning,
  });
}
