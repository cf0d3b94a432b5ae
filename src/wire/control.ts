// The JSON messages of CONTROL frames, as a closed union. Unknown keys and unknown message types are ignored,
// wrong shapes of known ones are violations. The first message each way is `hello`.

/** Server only: the trace fields of the heads that it sends are its own word, not a visitor's. */
export const tracedFeature = "traced";

/** Client only: it traces, and reads the trace in the OPEN of a pipe, which no other client is sent. */
export const tracedPipesFeature = "traced_pipes";

/** Server only: it knows tunnels of kind `tls`. Registered with another one, they would end the session. */
export const tlsFeature = "tls";

/** First message each way. */
export interface Hello {
  readonly type: "hello";
  readonly protocol: "caisson.v1";
  /** The sender's package version, for people. */
  readonly version: string;
  /** Random per process, 1 to 64 characters of `[A-Za-z0-9_-]`: tells a reconnect from a second client. */
  readonly instance: string;
  /** Optional abilities, such as {@link tracedFeature}. */
  readonly features: readonly string[];
  readonly limits: {
    /** How many streams the sender lets the peer have open at once. */
    readonly maxStreams: number;
  };
}

/** Client to server: claim a tunnel. `id` is chosen by the client, unique in its session, 1 to 2^31 - 1. */
export interface Register {
  readonly type: "register";
  readonly id: number;
  readonly kind: TunnelKind;
  /** The wanted public name; absent for a random one. */
  readonly name?: string;
  /** What the server handed out with that name. */
  readonly resumeKey?: string;
  /** The wanted public port of a TCP tunnel; absent for any free one. */
  readonly port?: number;
}

/** What a tunnel carries: requests, the connections of a port, or the TLS connections for a name, undecrypted. */
export type TunnelKind = "http" | "tcp" | "tls";

/** Server to client: the tunnel stands. */
export interface Registered {
  readonly type: "registered";
  readonly id: number;
  readonly name: string;
  readonly url: string;
  /** An address that works without DNS, and the Host to send there. */
  readonly direct: { readonly url: string; readonly host: string };
  readonly resumeKey: string;
}

/** Why a registration was refused. */
export type RegisterRefusal =
  | "name_taken"
  | "name_invalid"
  | "name_reserved"
  | "not_allowed"
  | "port_taken"
  | "port_invalid"
  | "tcp_off"
  | "tls_off"
  | "too_many"
  | "shutting_down";

/** Server to client: no tunnel, and why. */
export interface Refused {
  readonly type: "refused";
  readonly id: number;
  readonly code: RegisterRefusal;
  readonly message: string;
}

/** Client to server: the tunnel is given up and its name free at once. */
export interface Unregister {
  readonly type: "unregister";
  readonly id: number;
}

/** Server to client: the operator or the server closed this tunnel; others of the session stay. */
export interface Closed {
  readonly type: "closed";
  readonly id: number;
  readonly reason: string;
}

/** Either way: the sender will stand still for about so long; do not call it dead. */
export interface Notice {
  readonly type: "notice";
  /** Milliseconds, at most 300,000. */
  readonly pauseMs: number;
}

/** Every CONTROL message. */
export type ControlMessage = Hello | Register | Registered | Refused | Unregister | Closed | Notice;
