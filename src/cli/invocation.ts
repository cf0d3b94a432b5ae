// What a command line asks for, as plain data: parsing makes it, commands/ carry it out. Times in milliseconds.

import type { ConnectLimits } from "../assemble/connect.ts";
import type { ServeLimits } from "../assemble/serve.ts";
import type { TlsFiles } from "../assemble/served-addresses.ts";
import type { ConfigFile } from "./config/config-shape.ts";
import type { LogLevel } from "../observe/log-level.ts";

/** The private listener, as far as flags say. */
export interface AdminInvocation {
  /** `host:port`, `unix:PATH` or `off`; undefined for the command's own default. */
  readonly listen: string | undefined;
  readonly tokenFile: string | undefined;
  readonly hosts: readonly string[];
  readonly snapshotFolder: string | undefined;
  readonly watchOneIn: number | undefined;
}

/** Tracing, as far as flags say. */
export interface OtelInvocation {
  /** Spans are wanted, whatever the environment says. */
  readonly asked: boolean;
  readonly queries: "redacted" | "recorded";
}

/** What every command that runs a client is told. */
export interface ClientInvocation {
  /** Empty for the library's default server. */
  readonly servers: readonly string[];
  readonly tokenFile: string | undefined;
  readonly plaintext: boolean;
  readonly caFile: string | undefined;
  readonly mask: "zero" | "random" | undefined;
  readonly json: boolean;
  readonly admin: AdminInvocation;
  readonly otel: OtelInvocation;
  readonly limits: Partial<ConnectLimits>;
}

/** `caisson http TARGET`, `caisson tcp TARGET` and `caisson tls TARGET`. */
export interface HttpInvocation extends ClientInvocation {
  readonly command: "http";
  readonly type: "http" | "tcp" | "tls";
  readonly target: string;
  /** The public port of a TCP tunnel; undefined for any. */
  readonly port: number | undefined;
  readonly name: string | undefined;
  readonly targetCaFile: string | undefined;
  readonly targetInsecure: boolean;
  readonly hostHeader: string | undefined;
}

/** `caisson start`. */
export interface StartInvocation extends ClientInvocation {
  readonly command: "start";
  /** Keys of tunnels; empty for all. */
  readonly names: readonly string[];
  readonly config: ConfigFile;
}

/** `caisson config`. */
export type ConfigInvocation =
  | { readonly command: "config"; readonly action: "check"; readonly file: string | undefined; readonly json: boolean }
  | { readonly command: "config"; readonly action: "schema"; readonly json: false };

/** `caisson serve`. */
export interface ServeInvocation {
  readonly command: "serve";
  readonly listen: string | undefined;
  readonly listenTls: string | undefined;
  readonly listenClients: string | undefined;
  readonly tls: readonly TlsFiles[];
  readonly redirectHttps: boolean;
  readonly proxyProtocol: boolean;
  readonly tcpPorts: string | undefined;
  readonly domain: string | undefined;
  readonly publicUrl: string | undefined;
  readonly catchAll: string | undefined;
  readonly open: boolean;
  /** The tokens file; undefined to let anybody in. */
  readonly tokens: string | undefined;
  readonly trustedProxies: readonly string[];
  readonly drainMs: number | undefined;
  readonly drainDelayMs: number | undefined;
  readonly readyDelayMs: number | undefined;
  readonly json: boolean;
  readonly logLevel: LogLevel;
  readonly admin: AdminInvocation;
  readonly otel: OtelInvocation;
  readonly limits: Partial<ServeLimits>;
}

/** `caisson demo`. */
export interface DemoInvocation {
  readonly command: "demo";
  /** Undefined for the default address, or a free port there if it is taken. */
  readonly listen: string | undefined;
  readonly name: string;
  readonly otel: OtelInvocation;
  readonly json: boolean;
}

/** `caisson diag`. */
export interface DiagInvocation {
  readonly command: "diag";
  /** Undefined for the server's default. */
  readonly admin: string | undefined;
  readonly tokenFile: string | undefined;
  readonly output: string | undefined;
  readonly json: boolean;
}

/** `caisson token create`. */
export interface TokenCreateInvocation {
  readonly command: "token";
  readonly action: "create";
  /** The tokens file; undefined for the one in the state folder. */
  readonly file: string | undefined;
  /** With the ports empty too: everything. */
  readonly names: readonly string[];
  /** `2222` or `2200-2299`. */
  readonly ports: readonly string[];
  readonly maxTunnels: number | undefined;
  /** Milliseconds since 1970. */
  readonly expiresMs: number | undefined;
  readonly label: string;
  /** Where the token goes instead of stdout. */
  readonly output: string | undefined;
  readonly json: boolean;
}

/** `caisson token list`. */
export interface TokenListInvocation {
  readonly command: "token";
  readonly action: "list";
  readonly file: string | undefined;
  readonly json: boolean;
}

/** `caisson token revoke`. */
export interface TokenRevokeInvocation {
  readonly command: "token";
  readonly action: "revoke";
  readonly file: string | undefined;
  readonly ids: readonly string[];
  /** All that have expired, too. */
  readonly expired: boolean;
  readonly json: boolean;
}

/** `caisson token`. */
export type TokenInvocation = TokenCreateInvocation | TokenListInvocation | TokenRevokeInvocation;

/** `caisson gate`. */
export interface GateInvocation {
  readonly command: "gate";
  readonly preset: "quick" | "default" | "soak";
  readonly clients: number | undefined;
  readonly rounds: number | undefined;
  /** Client connects per second at most. */
  readonly rate: number | undefined;
  readonly seed: number | undefined;
  /** Clients before what grows counts as a leak and not as a cache that fills. */
  readonly patience: number | undefined;
  /** Milliseconds without any client before a leak is told. */
  readonly restMs: number | undefined;
  /** Empty for those of the preset. */
  readonly scenarios: readonly string[];
  readonly importServer: string | undefined;
  readonly importClient: string | undefined;
  /** A server that runs already; its private listener is then given too. */
  readonly server: string | undefined;
  readonly admin: string | undefined;
  readonly adminTokenFile: string | undefined;
  /** The domain of its tunnels. */
  readonly domain: string | undefined;
  /** A file with a token for it, whose holder clients are. */
  readonly tokenFile: string | undefined;
  /** Whether the token may go to another host in the clear. */
  readonly plaintext: boolean;
  /** The inspector of any Node server; the driver's file is then given too. */
  readonly attach: string | undefined;
  readonly driver: string | undefined;
  readonly undecided: "pass" | "fail";
  readonly json: boolean;
  /** Files for reports, by format. */
  readonly reports: Readonly<Partial<Record<GateReportFormat, string>>>;
}

/** What a report can be written as. */
export type GateReportFormat = "reportJson" | "junit" | "markdown" | "html" | "benchmark";

/** Help or the version was asked for and printed. */
export interface NothingToDo {
  readonly command: "none";
}

/** Everything that a command line may ask for. */
export type Invocation =
  | HttpInvocation
  | StartInvocation
  | ConfigInvocation
  | ServeInvocation
  | DemoInvocation
  | DiagInvocation
  | TokenInvocation
  | GateInvocation
  | NothingToDo;
