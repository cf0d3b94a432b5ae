// What frp's two programs are told: a server on loopback that routes by Host, and a client with some proxies. Pure.

/** The ports of a server. */
export interface FrpPorts {
  /** Where its clients connect. */
  readonly control: number;
  /** Where visitors come in. */
  readonly visitors: number;
  /** Where it tells of itself; nowhere if absent. */
  readonly dashboard?: number;
}

/** The text of a server's file. */
export function frpServer({ control, visitors, dashboard }: FrpPorts): string {
  const text = `bindAddr = "127.0.0.1"
proxyBindAddr = "127.0.0.1"
bindPort = ${control}
vhostHTTPPort = ${visitors}
`;
  if (dashboard === undefined) return text;
  return `${text}webServer.addr = "127.0.0.1"
webServer.port = ${dashboard}
webServer.pprofEnable = true
`;
}

/** The text of a client's file; `hosts` lead to `target`, each as a proxy of its own. */
export function frpClient(
  control: number,
  { target, hosts }: { readonly target: number; readonly hosts: readonly string[] },
): string {
  const proxies = hosts.map(
    (host) => `
[[proxies]]
name = "${host}"
type = "http"
localIP = "127.0.0.1"
localPort = ${target}
customDomains = ["${host}"]
`,
  );
  return `serverAddr = "127.0.0.1"\nserverPort = ${control}\n${proxies.join("")}`;
}
