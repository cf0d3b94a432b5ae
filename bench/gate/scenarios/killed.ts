// Client processes that die at once, as by kill -9: the server learns it from their sockets and holds their names for a while.

import type { Scenario } from "./scenario.ts";

export const killed: Scenario = {
  name: "killed",
  title: "kill -9 of client processes",
  weight: 2,
  async round(ground, size) {
    const names = ground.names(size);
    const crew = ground.startCrew();
    try {
      await ground.connect(names, { crew });
      const { answered = 0 } = await ground.visit(names, { do: "get" });
      return { connections: size, requests: answered };
    } finally {
      await crew.process.kill();
    }
  },
};
