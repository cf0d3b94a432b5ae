// What a client worker can be told to do.

/** Where clients log in, and with what. */
interface Login {
  readonly server: string;
  readonly token?: string;
  /** Where visitors are led to. */
  readonly target: string;
}

/** Orders of the worker that hosts tunnel clients. Names are those of tunnels; each client has one. */
export type ClientOrder =
  /** Connects a client for each name; answers `connected`. `relay` names the link that they go through. */
  | ({
      readonly do: "connect";
      readonly names: readonly string[];
      readonly relay?: string;
      readonly perSecond?: number;
    } & Login)
  /** Closes them; answers `disconnected`. Without `force` they say goodbye. */
  | { readonly do: "disconnect"; readonly names: readonly string[]; readonly force: boolean }
  /** Connects another client under each name, with the key of the first, which must end as replaced; answers `replaced`. */
  | ({ readonly do: "takeOver"; readonly names: readonly string[] } & Login)
  /** Resets every connection of a relay and waits until all clients stand again; answers `standing`. */
  | { readonly do: "storm"; readonly relay: string; readonly names: readonly string[] }
  /** Forwards nothing more and closes nothing, as a lost network; the clients are then thrown away; answers `frozen`. */
  | { readonly do: "freeze"; readonly relay: string; readonly names: readonly string[] }
  /** Throws away every client that is left after an order that failed, except for some; answers `disconnected`. */
  | { readonly do: "disconnectAll"; readonly but: readonly string[] }
  /** Answers what the ledgers of all its clients say, as `KIND.FIELD`. */
  | { readonly do: "ledgers" };
