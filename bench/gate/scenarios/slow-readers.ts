// Visitors who read large responses slowly, all at once.

import type { Scenario } from "./scenario.ts";

export const slowReaders: Scenario = {
  name: "slow-readers",
  title: "slow readers",
  weight: 1,
  everyRound: false,
  lingers: false,
  async round(ground, size) {
    const names = ground.names(size);
    await ground.connect(names);
    const { answered = 0 } = await ground.visit(names, { do: "slow" });
    await ground.disconnect(names);
    return { connections: size, requests: answered };
  },
};
