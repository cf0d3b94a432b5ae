// Which Host belongs to whom, and under which URL a tunnel is reached.

import { isIP } from "node:net";
import { CaissonError } from "../lifecycle/errors.ts";
import type { Door } from "./visitor-owner.ts";

/** Options of {@link PublicAddress}. */
export interface PublicAddressOptions {
  /** The domain whose subdomains are tunnels, lower-case. */
  readonly domain: string;
  /** For URLs behind another proxy, such as `https://{name}.example.com`; must contain `{name}`. */
  readonly template: string | undefined;
}

/** Whose a Host is: the server's own, a tunnel's by name, or nobody's. */
export type HostOwner =
  | { readonly kind: "own" }
  | { readonly kind: "tunnel"; readonly name: string }
  | { readonly kind: "unknown" };

const own: HostOwner = { kind: "own" };
const unknown: HostOwner = { kind: "unknown" };

/** What a request asks for, as far as a redirect repeats it. */
export interface AskedTarget {
  /** Lower-case, without a port; empty if there was none. */
  readonly host: string;
  /** As sent. */
  readonly target: string;
}

/** The public names of one server. */
export class PublicAddress {
  readonly domain: string;
  readonly #suffix: string;
  readonly #template: string | undefined;
  #plain: Place | undefined;
  #tls: Place | undefined;
  #clients: Place | undefined;

  /** Throws E_CONFIG when the domain or the template is unusable. */
  constructor(options: PublicAddressOptions) {
    this.domain = options.domain.toLowerCase().replace(/\.$/u, "");
    if (!/^[a-z0-9-]+(\.[a-z0-9-]+)*$/u.test(this.domain)) {
      throw new CaissonError(
        "E_CONFIG",
        `domain "${options.domain}" is no host name; write for instance tunnels.example.com`,
      );
    }
    if (options.template !== undefined && !/^https?:\/\/[^/]*\{name\}/u.test(options.template)) {
      throw new CaissonError("E_CONFIG", `public URL "${options.template}" must look like https://{name}.example.com`);
    }
    this.#suffix = `.${this.domain}`;
    this.#template = options.template;
  }

  /** Tells where the server really listens, and for whom, once it does. */
  listensOn(
    scheme: "http" | "https",
    where: { readonly host: string; readonly port: number; readonly door: Door },
  ): void {
    const { host, port, door } = where;
    const place = { scheme, port, host: host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host };
    if (door === "clients") this.#clients = place;
    else if (scheme === "http") this.#plain = place;
    else this.#tls = place;
  }

  /** Whose this Host is; `host` lower-case, without port. */
  ownerOf(host: string): HostOwner {
    if (host.endsWith(this.#suffix)) {
      const name = host.slice(0, -this.#suffix.length);
      return name.includes(".") ? unknown : { kind: "tunnel", name };
    }
    const literal = host.startsWith("[") || isIP(host) !== 0;
    return host === this.domain || host === "localhost" || literal ? own : unknown;
  }

  /** The server's own URL, which needs no DNS: without TLS if it listens without. */
  get serverUrl(): string {
    const place = this.#plain ?? this.#tls ?? nowhere;
    return urlAt(place, place.host);
  }

  /** The URL for TLS, under the server's domain; undefined if it does not listen for that. */
  get tlsUrl(): string | undefined {
    return this.#tls && urlAt(this.#tls, this.domain);
  }

  /** Where clients connect: where visitors do, unless clients have an address of their own. */
  get clientsUrl(): string {
    const place = this.#clients;
    return place ? urlAt(place, place.scheme === "https" ? this.domain : place.host) : this.serverUrl;
  }

  /** The public URL of a tunnel: with TLS if the server listens for that. */
  urlOf(name: string): string {
    if (this.#template !== undefined) return this.#template.replaceAll("{name}", name);
    return urlAt(this.#tls ?? this.#plain ?? nowhere, `${name}${this.#suffix}`);
  }

  /** The public URL of a TCP port, and one that needs no DNS. */
  portUrls(port: number): { readonly url: string; readonly direct: { readonly url: string; readonly host: string } } {
    const { host } = this.#plain ?? this.#tls ?? nowhere;
    return {
      url: `tcp://${this.domain}:${port}`,
      direct: { url: `tcp://${bracketed(host)}:${port}`, host: `${this.domain}:${port}` },
    };
  }

  /**
   * The public address of a tunnel whose connections are passed through, and one that needs no DNS with the server name to
   * ask for there. Behind a balancer that only moves bytes, the port is that of the public URL.
   */
  passedUrls(name: string): { readonly url: string; readonly direct: { readonly url: string; readonly host: string } } {
    const serverName = `${name}${this.#suffix}`;
    const { host, port } = this.#tls ?? nowhere;
    const outside = new URL(this.urlOf(name));
    const asOutside = outside.protocol === "https:" && outside.hostname === serverName;
    return {
      url: `tls://${serverName}:${asOutside ? outside.port || "443" : port}`,
      direct: { url: `tls://${bracketed(host)}:${port}`, host: serverName },
    };
  }

  /** Where a request over plain HTTP should have gone; undefined if there is no such place. `owner` is its Host's. */
  encryptedUrl(owner: HostOwner, asked: AskedTarget): string | undefined {
    if (!this.#tls || owner.kind === "unknown" || !asked.target.startsWith("/")) return undefined;
    const origin = owner.kind === "tunnel" ? this.urlOf(owner.name) : urlAt(this.#tls, asked.host);
    return origin.startsWith("https:") ? `${origin.replace(/\/$/u, "")}${asked.target}` : undefined;
  }

  /** An URL of an IP address and the Host to send there: Node on Linux does not resolve `name.localhost`. */
  directOf(name: string): { readonly url: string; readonly host: string } {
    return { url: this.serverUrl, host: new URL(this.urlOf(name)).host };
  }
}

interface Place {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
}

const nowhere: Place = { scheme: "http", host: "127.0.0.1", port: 0 };

function urlAt({ scheme, port }: Place, host: string): string {
  const place = bracketed(host);
  return port === (scheme === "http" ? 80 : 443) ? `${scheme}://${place}` : `${scheme}://${place}:${port}`;
}

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
