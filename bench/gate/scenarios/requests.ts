// Requests under churn: autocannon sends requests to tunnels that stand, the Host rotating, while other clients come and go.

import type { Scenario } from "./scenario.ts";

/** Requests for each client of the round. */
const requestsPerClient = 8;
const connections = 8;
/** One of so many clients stands while the others come and go. */
const oneStandsOf = 4;

export const requests: Scenario = {
  name: "requests",
  title: "requests under churn",
  weight: 6,
  everyRound: true,
  lingers: false,
  async round(ground, size) {
    const standing = ground.names(Math.max(1, Math.floor(size / oneStandsOf)));
    await ground.connect(standing);
    const load = ground.visit(standing, { do: "load", amount: size * requestsPerClient, connections });
    const churning = ground.names(size - standing.length);
    const churn = async (): Promise<void> => {
      await ground.connect(churning);
      await ground.disconnect(churning);
    };
    const [{ answered = 0 }] = await Promise.all([load, churn()]);
    await ground.disconnect(standing);
    return { connections: size, requests: answered };
  },
};
