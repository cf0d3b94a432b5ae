// The public API. Nothing else is promised.

export type {
  CaissonClient,
  CaissonTunnel,
  ClientOptions,
  ConnectLimits,
  ConnectOptions,
  ConnectTunnelsOptions,
  NamedTunnelOptions,
  TunnelChanges,
  TunnelEventMap,
  TunnelOptions,
} from "./assemble/connect.ts";
export { connect, connectTunnels } from "./assemble/connect.ts";
export type { HealthOptions } from "./client/health-check.ts";
export type { RequestInfo } from "./assemble/request-info.ts";
export type {
  CaissonServer,
  ReloadInfo,
  ServeLimits,
  ServeOptions,
  ServerEvents,
  TunnelInfo,
} from "./assemble/serve.ts";
export { serve } from "./assemble/serve.ts";
export type { Keyring } from "./client/keyring.ts";
export type { Disconnection, RefusedTunnel, TunnelFacts, TunnelHealth } from "./client/observer.ts";
export type { CaissonErrorOptions, ErrorCode } from "./lifecycle/errors.ts";
export { CaissonError } from "./lifecycle/errors.ts";
export type { Inventory } from "./lifecycle/resource.ts";
