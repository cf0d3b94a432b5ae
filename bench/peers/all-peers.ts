// Every peer that there is an adapter for.

import { bore } from "./bore.ts";
import { chisel } from "./chisel.ts";
import { frp } from "./frp.ts";
import { localtunnel } from "./localtunnel.ts";
import type { Peer } from "./peer.ts";
import { piko } from "./piko.ts";
import { rathole } from "./rathole.ts";
import { tunnelmole } from "./tunnelmole.ts";

/** In the order of tables. */
export const allPeers: readonly Peer[] = [frp, piko, localtunnel, tunnelmole, rathole, bore, chisel];
