// The target without anything in between: what the load generator and the target can do at most.

import type { Contestant } from "./contestant.ts";

/** Takes part everywhere. */
export const direct: Contestant = {
  name: "direct",
  missing: undefined,
  start: (target) =>
    Promise.resolve({
      port: target,
      host: `127.0.0.1:${target}`,
      pids: [],
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
};
