// A process that plays visitors, as its parent says. Every answer is checked; one that is wrong fails the order.

import { sendLoad } from "../network/load.ts";
import type { Visit } from "../network/visits.ts";
import {
  echoOverWebSocket,
  expectCut,
  expectError,
  getSmall,
  leaveBefore,
  leaveWithin,
  readSlowly,
} from "../network/visits.ts";
import { answerOrders, inParallel } from "./answer-orders.ts";
import type { Counts } from "./orders.ts";
import type { VisitorOrder } from "./visitor-orders.ts";

/** Visits in flight at once. */
const atOnce = 16;

async function carryOut(order: VisitorOrder): Promise<Counts> {
  const visits = async (paths: (at: number) => string, visit: (where: Visit) => Promise<void>): Promise<number> => {
    const { address = "127.0.0.1", port } = order;
    const all = order.hosts.map((host, at): Visit => ({ address, port, host, path: paths(at) }));
    await inParallel(all, visit, { atOnce });
    return all.length;
  };
  switch (order.do) {
    case "get":
      return { answered: await visits((at) => `/small/${at}`, getSmall) };
    case "load":
      return { answered: await sendLoad(order) };
    case "abort":
      return order.when === "before"
        ? { aborted: await visits((at) => `/silent/${at}`, leaveBefore) }
        : { aborted: await visits((at) => `/huge/${at}`, leaveWithin) };
    case "slow":
      return { answered: await visits((at) => `/large/${at}`, readSlowly) };
    case "webSocket":
      return {
        answered: await visits(
          (at) => `/echo/${at}`,
          (visit) => echoOverWebSocket(visit, order),
        ),
      };
    case "expectError":
      return {
        refused: await visits(
          () => order.path,
          (visit) => expectError(visit, order.errors),
        ),
      };
    case "expectCut":
      return { cut: await visits(() => order.path, expectCut) };
    default:
      throw new Error(`unknown order: ${JSON.stringify(order satisfies never)}`);
  }
}

answerOrders(carryOut);
