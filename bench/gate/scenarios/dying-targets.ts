// Targets that refuse, reset before the head, and reset in the middle of a body; the client's own answers are checked.

import type { Scenario } from "./scenario.ts";

export const dyingTargets: Scenario = {
  name: "dying-targets",
  title: "targets that die",
  weight: 1,
  everyRound: false,
  lingers: false,
  async round(ground, size) {
    const refusing = ground.names(Math.floor(size / 2));
    const dying = ground.names(size - refusing.length);
    await ground.connect(refusing, { target: ground.deadTarget });
    await ground.connect(dying);
    const refused = await ground.visit(refusing, { do: "expectError", path: "/", errors: ["target_refused"] });
    const early = await ground.visit(dying, { do: "expectError", path: "/reset", errors: ["bad_target_response"] });
    const cut = await ground.visit(dying, { do: "expectCut", path: "/half" });
    const { answered = 0 } = await ground.visit(dying, { do: "get" });
    await ground.disconnect([...refusing, ...dying]);
    return {
      connections: size,
      requests: (refused["refused"] ?? 0) + (early["refused"] ?? 0) + (cut["cut"] ?? 0) + answered,
    };
  },
};
