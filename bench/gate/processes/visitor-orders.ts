// What the visitor worker can be told to do. `address` and `port` are the server's; each visitor asks for one of `hosts`.

/** Where visitors go. */
interface Visits {
  /** A name or an address; default 127.0.0.1. */
  readonly address?: string;
  readonly port: number;
  /** Values of Host, one visit for each. */
  readonly hosts: readonly string[];
}

/** Orders of the worker that plays visitors. */
export type VisitorOrder =
  /** One small request on a connection of its own; answers `answered`. */
  | ({ readonly do: "get" } & Visits)
  /** So many requests from so many connections, the hosts taking turns; answers `answered`. */
  | ({ readonly do: "load"; readonly amount: number; readonly connections: number } & Visits)
  /** Leaves before the response, or in the middle of it; answers `aborted`. */
  | ({ readonly do: "abort"; readonly when: "before" | "within" } & Visits)
  /** Reads a large response in small pieces with pauses; answers `answered`. */
  | ({ readonly do: "slow" } & Visits)
  /** Opens a WebSocket, has messages sent back, closes it; answers `answered`. `leave` drops the connection instead. */
  | ({ readonly do: "webSocket"; readonly leave: boolean } & Visits)
  /** Expects a Caisson-Error before the head; answers `refused`. */
  | ({ readonly do: "expectError"; readonly path: string; readonly errors: readonly string[] } & Visits)
  /** Expects a response that is cut after its head; answers `cut`. */
  | ({ readonly do: "expectCut"; readonly path: string } & Visits);
