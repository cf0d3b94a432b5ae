// A target that is sent another Host than the visitor's speaks of itself under that name: in redirects and in the domains
// of its cookies. Here they become the public URL's. Pure; the head must have been validated. A field that does not
// surely lead to the target itself stays as it is, byte for byte, and a head without such a field is not copied.

import { isIP } from "node:net";
import { fieldIds } from "../http1/fields.ts";
import type { ResponseHead } from "../http1/head.ts";
import { responseHeadLimits } from "../http1/limits.ts";
import type { Target } from "./target.ts";
import { isLoopback } from "./target.ts";

/** What all URLs of this machine's own services may be written as. */
const loopbackHosts = ["localhost", "127.0.0.1", "[::1]"];

/** scheme, authority and the rest of an URL that names its authority. A `\` or an `@` in it make it somebody else's. */
const urlForm = /^(https?:)?\/\/(\[[0-9a-f:.]+\]|[^:/?#\\@"'\s[\]]+)(?::(\d{1,5}))?(?![^/?#"'])/iu;
/** What precedes the URL in a Refresh field. */
const refreshForm = /^[\d.]*\s*[;,]\s*(?:url\s*=\s*)?["']?/iu;

/** What responses of one target say of it, and what they are to say instead. */
export class OriginRewrite {
  /** The target that it was made for. */
  readonly target: Target;
  readonly #publicOrigin: string;
  readonly #publicHost: string;
  /** `host:port` of everything that is the target, lower-case. */
  readonly #authorities: ReadonlySet<string>;
  readonly #hosts: readonly string[];

  private constructor(target: Target, publicUrl: URL) {
    const sent = (target.hostHeader ?? Buffer.alloc(0)).toString("latin1").toLowerCase();
    const [, sentHost = "", sentPort] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/u.exec(sent) ?? [];
    const typed = target.host.includes(":") ? `[${target.host}]` : target.host;
    const hosts = new Set([typed.toLowerCase(), ...(isLoopback(target.host) ? loopbackHosts : []), sentHost]);
    const authorities = new Set([...hosts].map((host) => `${host}:${target.port}`));
    if (sentPort !== undefined) authorities.add(`${sentHost}:${Number(sentPort)}`);
    else {
      // Without a port the name alone is its own, under the scheme that it speaks and the one that it is told of.
      for (const scheme of [target.tls ? "https:" : "http:", publicUrl.protocol]) {
        authorities.add(`${sentHost}:${defaultPort(scheme)}`);
      }
    }
    this.target = target;
    this.#publicOrigin = publicUrl.origin;
    this.#publicHost = publicUrl.hostname;
    this.#authorities = authorities;
    this.#hosts = [...hosts];
  }

  /** For a target with a Host of its own under a public HTTP URL, which is the server's word; else undefined. */
  static of(target: Target, publicUrl: string): OriginRewrite | undefined {
    if (target.hostHeader === undefined || !URL.canParse(publicUrl)) return undefined;
    const url = new URL(publicUrl);
    return url.protocol === "http:" || url.protocol === "https:" ? new OriginRewrite(target, url) : undefined;
  }

  /** The head as the visitor is to get it. `bytes` are the head's own, and are answered if nothing changes. */
  apply(head: ResponseHead, bytes: Buffer): Buffer {
    let pieces: Buffer[] | undefined;
    let from = head.start;
    for (let index = 0; index < head.fieldCount; index += 1) {
      const id = head.fieldId[index];
      if (!speaksOfItself(id)) continue;
      const value = head.valueOf(index);
      const changed = this.#changed(id, value);
      if (changed === value) continue;
      pieces ??= [];
      pieces.push(head.bytes.subarray(from, head.valueStart[index]), Buffer.from(changed, "latin1"));
      from = head.valueEnd[index] ?? from;
    }
    if (pieces === undefined) return bytes;
    const whole = Buffer.concat([...pieces, head.bytes.subarray(from, head.end)]);
    // The server takes no longer head, and a redirect that leads astray is better than none.
    return whole.length > responseHeadLimits.maxHeadBytes ? bytes : whole;
  }

  #changed(id: number, value: string): string {
    if (id === fieldIds["set-cookie"]) return this.#cookie(value);
    if (id !== fieldIds.refresh) return this.#url(value);
    const before = refreshForm.exec(value)?.[0] ?? "";
    return before === "" ? value : before + this.#url(value.slice(before.length));
  }

  #url(value: string): string {
    const [own, scheme, host = "", port] = urlForm.exec(value) ?? [];
    if (own === undefined) return value;
    const speaks = scheme?.toLowerCase() ?? (this.target.tls ? "https:" : "http:");
    const authority = `${host.toLowerCase()}:${port === undefined ? defaultPort(speaks) : Number(port)}`;
    return this.#authorities.has(authority) ? this.#publicOrigin + value.slice(own.length) : value;
  }

  /** Without a domain a cookie is for the host that sent it, which to the visitor is the public one. */
  #cookie(value: string): string {
    const [pair = "", ...attributes] = value.split(";");
    const kept = attributes.filter((attribute) => !this.#isForeignDomain(attribute));
    return kept.length === attributes.length ? value : [pair, ...kept].join(";");
  }

  /** Whether it is a domain that holds the target and not the public host: no browser would take the cookie. */
  #isForeignDomain(attribute: string): boolean {
    const domain = /^\s*domain\s*=\s*\.?(\S+)\s*$/iu.exec(attribute)?.[1]?.toLowerCase();
    if (domain === undefined || holds(domain, this.#publicHost)) return false;
    return this.#hosts.some((host) => holds(domain, host));
  }
}

function speaksOfItself(id: number | undefined): id is number {
  return (
    id === fieldIds["set-cookie"] ||
    id === fieldIds.location ||
    id === fieldIds["content-location"] ||
    id === fieldIds.refresh
  );
}

function defaultPort(scheme: string): number {
  return scheme === "https:" ? 443 : 80;
}

/** RFC 6265 section 5.1.3. A single label, such as `localhost`, holds itself only: browsers take it for nobody else. */
function holds(domain: string, host: string): boolean {
  if (domain === host) return true;
  return domain.includes(".") && host.endsWith(`.${domain}`) && isIP(host) === 0;
}
