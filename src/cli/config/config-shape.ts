// What a configuration file comes to once it has been read and checked: plain data.

import type { NamedTunnelOptions } from "../../assemble/connect.ts";
import type { Settings } from "./settings.ts";

/** A tunnel of the file; certificate authorities are still a path. */
export interface ConfiguredTunnel extends Omit<NamedTunnelOptions, "targetCa"> {
  readonly targetCaFile?: string;
}

/** A file without problems. */
export interface ConfigFile {
  readonly file: string;
  /** Where relative paths of the file start. */
  readonly folder: string;
  /** Flags of `caisson start` and `caisson http`. */
  readonly client: Settings;
  /** Flags of `caisson serve`. */
  readonly serve: Settings;
  readonly tunnels: readonly ConfiguredTunnel[];
}
