// Clients that connect, serve one request each, and say goodbye.

import type { Scenario } from "./scenario.ts";

export const clean: Scenario = {
  name: "clean",
  title: "clean connect and disconnect",
  weight: 10,
  everyRound: true,
  lingers: false,
  async round(ground, size) {
    const names = ground.names(size);
    await ground.connect(names);
    const { answered = 0 } = await ground.visit(names, { do: "get" });
    await ground.disconnect(names);
    return { connections: size, requests: answered };
  },
};
