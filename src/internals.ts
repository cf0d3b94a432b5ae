// `caisson/internals`: the classes and events that the CLI itself runs, for tests, the leak zoo and debugging.
// Without any promise: what is here may change with every release.

export type { LinkSession } from "./client/link-session.ts";
export { LocalConnection } from "./client/local-connection.ts";
export { ServerLink } from "./client/server-link.ts";
export { ChunkedDecoder } from "./http1/chunked.ts";
export { RequestHeadReader, ResponseHeadReader } from "./http1/head-reader.ts";
export { Ledger } from "./leaks/ledger.ts";
export { Deadline, Deadlines } from "./lifecycle/deadlines.ts";
export type { ExchangeOutcome, ExchangeView, SessionView, TraceContext, TunnelEvents } from "./lifecycle/events.ts";
export { noEvents } from "./lifecycle/events.ts";
export { fanout } from "./lifecycle/fanout.ts";
export { Listener } from "./lifecycle/listener.ts";
export type { Inventory, Resource, ResourceKind } from "./lifecycle/resource.ts";
export { resourceKinds } from "./lifecycle/resource.ts";
export { Scope } from "./lifecycle/scope.ts";
export { Metrics } from "./observe/metrics.ts";
export { Pipe } from "./mux/pipe.ts";
export { Session } from "./mux/session.ts";
export { SocketOutlet } from "./mux/socket-outlet.ts";
export { Stream } from "./mux/stream.ts";
export { SessionSocket } from "./mux/session-socket.ts";
export { ClientSession } from "./server/client-session.ts";
export { Exchange } from "./server/exchange.ts";
export { NameTable } from "./server/name-table.ts";
export { TunnelServer } from "./server/tunnel-server.ts";
export { Tunnel } from "./server/tunnel.ts";
export { VisitorConnection } from "./server/visitor-connection.ts";
