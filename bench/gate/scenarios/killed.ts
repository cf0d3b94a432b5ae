// Client processes that die at once, as by kill -9: the server learns it from their sockets and holds their names for a while.
// Some visitors wait for an answer when it happens, and some come while the names are held, and leave.

import { setTimeout as pause } from "node:timers/promises";
import type { Scenario } from "./scenario.ts";

/** Visitors who wait for an answer when the client dies: as many as visit at once. */
const inFlight = 16;
/** How long their requests take to arrive, in milliseconds. One that comes later finds a held name, or none. */
const arriveMs = 60;
const lostErrors: readonly string[] = ["client_lost", "reconnecting", "no_tunnel"];

export const killed: Scenario = {
  name: "killed",
  title: "kill -9 of client processes",
  weight: 2,
  everyRound: false,
  lingers: true,
  async round(ground, size) {
    const names = ground.names(size);
    const crew = ground.startCrew();
    try {
      await ground.connect(names, { crew });
      const { answered = 0 } = await ground.visit(names, { do: "get" });
      const waiting = ground.visit(names.slice(0, inFlight), {
        do: "expectError",
        path: "/silent",
        errors: lostErrors,
      });
      const death = async (): Promise<void> => {
        await pause(arriveMs);
        await crew.process.kill();
      };
      const [{ refused = 0 }] = await Promise.all([waiting, death()]);
      const { aborted = 0 } = await ground.visit(names, { do: "abort", when: "before" });
      return { connections: size, requests: answered + refused + aborted };
    } finally {
      await crew.process.kill();
    }
  },
};
