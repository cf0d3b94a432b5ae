// Everything that bench:idle knows how to measure.

import { bytePeers } from "./byte-peers.ts";
import { caissonContestant } from "./caisson.ts";
import type { IdleContestant } from "./contestant.ts";
import { frpContestant } from "./frp.ts";
import { pikoContestant } from "./piko.ts";

/** Tunnels of a session that is shared. */
const sharing = 100;

/** In the order of tables; some may be missing here. */
export const allIdle: readonly IdleContestant[] = [
  caissonContestant(1),
  frpContestant("a client each"),
  pikoContestant,
  ...bytePeers,
  caissonContestant(sharing),
  frpContestant("one client"),
];
