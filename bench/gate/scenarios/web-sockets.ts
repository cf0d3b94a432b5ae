// WebSockets through the tunnels: half of them close as they should, half of them are dropped.

import type { Scenario } from "./scenario.ts";

export const webSockets: Scenario = {
  name: "web-sockets",
  title: "WebSockets",
  weight: 1,
  everyRound: false,
  lingers: false,
  async round(ground, size) {
    const names = ground.names(size);
    await ground.connect(names);
    const closed = await ground.visit(names, { do: "webSocket", leave: false });
    const left = await ground.visit(names, { do: "webSocket", leave: true });
    await ground.disconnect(names);
    return { connections: size, requests: (closed["answered"] ?? 0) + (left["answered"] ?? 0) };
  },
};
