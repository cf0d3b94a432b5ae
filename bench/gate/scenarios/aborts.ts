// Visitors who leave: half of them before the response, half in the middle of it.

import type { Scenario } from "./scenario.ts";

export const aborts: Scenario = {
  name: "aborts",
  title: "visitors aborting before and within a response",
  weight: 1,
  everyRound: false,
  lingers: false,
  async round(ground, size) {
    const names = ground.names(size);
    await ground.connect(names);
    const before = await ground.visit(names, { do: "abort", when: "before" });
    const within = await ground.visit(names, { do: "abort", when: "within" });
    const { answered = 0 } = await ground.visit(names, { do: "get" });
    await ground.disconnect(names);
    return { connections: size, requests: (before["aborted"] ?? 0) + (within["aborted"] ?? 0) + answered };
  },
};
