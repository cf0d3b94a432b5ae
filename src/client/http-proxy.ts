// Which proxy leads to which server, by the variables that other programs go by too: HTTPS_PROXY, NO_PROXY. Pure.
// Credentials of a proxy are kept out of everything that is shown.

import { BlockList, isIP } from "node:net";
import { CaissonError } from "../lifecycle/errors.ts";
import { isLoopback } from "./target.ts";

/** What the environment says about proxies. */
export interface ProxySettings {
  /** For `wss://` servers. */
  readonly https?: string;
  /** For `ws://` servers. */
  readonly http?: string;
  /** Hosts that are reached directly: names with their subdomains, addresses, networks, or `*`; `host:port` is one port only. */
  readonly no?: string;
}

/** A checked proxy. */
export interface HttpProxy {
  /** For people, without credentials. */
  readonly text: string;
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  /** The value of Proxy-Authorization. A secret. */
  readonly authorization: string | undefined;
}

/**
 * The settings in an environment; the lower-case form of a variable wins. HTTP_PROXY is only read in lower case, because
 * a CGI program's visitors can set the other one.
 */
export function proxySettingsOf(env: Readonly<Record<string, string | undefined>>): ProxySettings {
  const https = env["https_proxy"] ?? env["HTTPS_PROXY"] ?? env["all_proxy"] ?? env["ALL_PROXY"] ?? "";
  const http = env["http_proxy"] ?? env["all_proxy"] ?? env["ALL_PROXY"] ?? "";
  const no = env["no_proxy"] ?? env["NO_PROXY"] ?? "";
  return { ...(https === "" ? {} : { https }), ...(http === "" ? {} : { http }), ...(no === "" ? {} : { no }) };
}

/** The proxy on the way to a WebSocket URL; undefined for none. Loopback never has one. Throws E_USAGE for a bad one. */
export function proxyFor(connectUrl: string, settings: ProxySettings): HttpProxy | undefined {
  const url = new URL(connectUrl);
  const secure = url.protocol === "wss:";
  const text = secure ? settings.https : settings.http;
  if (text === undefined) return undefined;
  const host = url.hostname.replace(/^\[|\]$/gu, "").toLowerCase();
  const port = Number(url.port) || (secure ? 443 : 80);
  if (isLoopback(host) || isExcluded({ host, port }, settings.no ?? "")) return undefined;
  return parseProxy(text);
}

function parseProxy(text: string): HttpProxy {
  const withScheme = text.includes("://") ? text : `http://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
  if (!url || url.hostname === "" || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new CaissonError(
      "E_USAGE",
      "the proxy in the environment is no http:// or https:// URL: write HTTPS_PROXY=http://proxy.example.com:3128",
    );
  }
  const tls = url.protocol === "https:";
  const credentials = url.username === "" ? undefined : `${decoded(url.username)}:${decoded(url.password)}`;
  return {
    text: `${url.protocol}//${url.host}`,
    tls,
    host: url.hostname.replace(/^\[|\]$/gu, ""),
    port: Number(url.port) || (tls ? 443 : 80),
    authorization: credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString("base64")}`,
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // A password with a bare percent sign means itself.
  }
}

function isExcluded(server: { readonly host: string; readonly port: number }, list: string): boolean {
  return list.split(/[\s,]+/u).some((entry) => entry !== "" && excludes(entry.toLowerCase(), server));
}

function excludes(entry: string, { host, port }: { readonly host: string; readonly port: number }): boolean {
  if (entry === "*") return true;
  const family = isIP(host);
  const [network = "", bits] = entry.split("/");
  if (bits !== undefined)
    return family !== 0 && isIP(network) === family && isWithin(host, { network, bits: Number(bits) });
  const parts = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:]+))(?::(?<port>\d+))?$/u.exec(entry)?.groups;
  const name = (parts?.["v6"] ?? parts?.["name"] ?? entry).replace(/^\*?\./u, "");
  if (parts?.["port"] !== undefined && Number(parts["port"]) !== port) return false;
  return host === name || (family === 0 && host.endsWith(`.${name}`));
}

function isWithin(host: string, block: { readonly network: string; readonly bits: number }): boolean {
  const family = isIP(host) === 6 ? "ipv6" : "ipv4";
  if (!Number.isInteger(block.bits) || block.bits < 0 || block.bits > (family === "ipv6" ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(block.network, block.bits, family);
  return list.check(host, family);
}
