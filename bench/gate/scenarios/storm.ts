// A reconnect storm: all connections are reset at once, all clients come back at once, under their names.

import type { Scenario } from "./scenario.ts";

export const storm: Scenario = {
  name: "storm",
  title: "reconnect storm",
  weight: 1,
  everyRound: false,
  lingers: false,
  async round(ground, size) {
    // Each client connects twice.
    const names = ground.names(Math.max(1, Math.floor(size / 2)));
    const relay = "storm";
    await ground.connect(names, { relay });
    await ground.crew.ask({ do: "storm", relay, names });
    const { answered = 0 } = await ground.visit(names, { do: "get" });
    await ground.disconnect(names);
    return { connections: names.length * 2, requests: answered };
  },
};
