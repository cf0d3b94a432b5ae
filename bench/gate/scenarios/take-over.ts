// Re-login under the same name: another client with the same identity takes the name, and the first one ends.

import type { Scenario } from "./scenario.ts";

export const takeOver: Scenario = {
  name: "take-over",
  title: "re-login under the same name",
  weight: 1,
  everyRound: false,
  lingers: false,
  async round(ground, size) {
    // Each name is used by two clients.
    const names = ground.names(Math.max(1, Math.floor(size / 2)));
    await ground.connect(names);
    await ground.takeOver(names);
    const { answered = 0 } = await ground.visit(names, { do: "get" });
    await ground.disconnect(names);
    return { connections: names.length * 2, requests: answered };
  },
};
