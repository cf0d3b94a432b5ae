// Which Host belongs to whom, and under which URL a tunnel is reached.

import { isIP } from "node:net";
import { CaissonError } from "../lifecycle/errors.ts";

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

/** The public names of one server. */
export class PublicAddress {
  readonly domain: string;
  readonly #suffix: string;
  readonly #template: string | undefined;
  #host = "127.0.0.1";
  #port = 0;

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

  /** Tells where the server really listens, once it does. */
  listensOn(host: string, port: number): void {
    this.#host = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
    this.#port = port;
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

  /** The server's own URL, which needs no DNS. */
  get serverUrl(): string {
    return `http://${this.#authority(this.#host)}`;
  }

  /** The public URL of a tunnel. */
  urlOf(name: string): string {
    if (this.#template !== undefined) return this.#template.replaceAll("{name}", name);
    return `http://${this.#authority(`${name}${this.#suffix}`)}`;
  }

  /** An URL of an IP address and the Host to send there: Node on Linux does not resolve `name.localhost`. */
  directOf(name: string): { readonly url: string; readonly host: string } {
    return { url: this.serverUrl, host: new URL(this.urlOf(name)).host };
  }

  #authority(host: string): string {
    const bracketed = host.includes(":") ? `[${host}]` : host;
    return this.#port === 80 ? bracketed : `${bracketed}:${this.#port}`;
  }
}
