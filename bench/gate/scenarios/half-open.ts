// Links that die without a word: both ends keep their sockets and nothing is forwarded any more. The server must find out by
// itself. The dead links stay as they are until the run ends, so that it gets no help.

import type { Scenario } from "./scenario.ts";

export const halfOpen: Scenario = {
  name: "half-open",
  title: "half-open links",
  weight: 1,
  everyRound: false,
  lingers: true,
  async round(ground, size) {
    const names = ground.names(size);
    const relay = `dead-${names[0] ?? ""}`;
    const crew = ground.lostCrew;
    await ground.connect(names, { relay, crew });
    const { answered = 0 } = await ground.visit(names, { do: "get" });
    await crew.ask({ do: "freeze", relay, names });
    return { connections: size, requests: answered };
  },
};
