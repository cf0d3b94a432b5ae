// Seeds: /metrics has a counter with the tunnel's name as a label, and no series is ever removed.
// Real case: frp today, and cadence #5398.
// Rate: one series (about 60 bytes of every scrape) per name. Seen by: series count, scrape bytes, heap.

import { Metrics, NameTable } from "../../src/internals.ts";
import { patch } from "./patch.ts";

const claims: Map<string, number> = new Map();

/** How many names have a series. */
export function seeded(): number {
  return claims.size;
}

patch(NameTable, "claim", function claim(original, tunnel) {
  claims.set(tunnel.name, (claims.get(tunnel.name) ?? 0) + 1);
  return original(tunnel);
});

patch(Metrics, "render", async function render(original, format) {
  const lines = ["# HELP tunnel_claims_total Claims by name.", "# TYPE tunnel_claims_total counter"];
  for (const [name, count] of claims) lines.push(`tunnel_claims_total{tunnel="${name}"} ${count}`);
  const text = await original(format);
  return `${lines.join("\n")}\n${text}`;
});
