// What a tunnel program has to offer so that its idle tunnels can be measured beside ours: a server in a process of its
// own, tunnels that come and go, and a process id to read. Everything else is read from outside, alike for all.

/** What tunnels lead to, and where files may go. */
export interface IdleGround {
  /** The port of a target that nobody asks for anything. */
  readonly target: number;
  /** The caller removes it. */
  readonly folder: string;
}

/** A program, and how its tunnels are made. */
export interface IdleContestant {
  readonly name: string;
  /** Tunnels per session: what shares a connection to the server is not the same as what has one of its own. */
  readonly tunnelsPerSession: number;
  /** The most tunnels that one machine can hold of it; its clients may be far larger than its server. */
  readonly mostTunnels: number;
  /** Why it cannot take part here; undefined if it can. */
  readonly missing: string | undefined;
  /** Starts the server; resolves when it takes clients. */
  start(ground: IdleGround): Promise<IdleServer>;
}

/** A running server with its clients. Disposing of it ends all of them. */
export interface IdleServer extends AsyncDisposable {
  /** The server's process, and nothing else's. */
  readonly pid: number;
  /** So many tunnels come; resolves when all of them stand. */
  gather(tunnels: number): Promise<void>;
  /** All tunnels go; resolves when the server has let go of them. */
  disperse(): Promise<void>;
  /** Frees what nobody refers to any more, if it can be told to; answers the heap in use after it, if it tells. Bytes. */
  collectGarbage(): Promise<number | undefined>;
}
