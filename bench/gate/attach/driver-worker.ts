// The process that loads a driver and makes clients by it, as its parent says. It judges nothing; a client that fails fails
// the order.

import { pathToFileURL } from "node:url";
import { answerOrders, inParallel } from "../processes/answer-orders.ts";
import type { Counts } from "../processes/orders.ts";
import type { Driver } from "./driver.ts";
import { driverIn } from "./driver.ts";

/** Orders of the worker. */
export type DriverOrder =
  /** Loads a driver by its absolute path; answers nothing. */
  | { readonly do: "load"; readonly path: string }
  /** Connects so many clients, uses each, and disconnects them when all are there; answers `connected` and `used`. */
  | { readonly do: "round"; readonly first: number; readonly clients: number };

/** Connects and disconnects in flight at once. */
const atOnce = 16;

let driver: Driver | undefined;

async function carryOut(order: DriverOrder): Promise<Counts> {
  switch (order.do) {
    case "load": {
      const module: unknown = await import(pathToFileURL(order.path).href);
      if (typeof module === "object" && module !== null) driver = driverIn(module);
      return {};
    }
    case "round":
      if (!driver) throw new Error("no driver was loaded");
      return round(driver, order);
    default:
      throw new Error(`unknown order: ${JSON.stringify(order satisfies never)}`);
  }
}

async function round(
  by: Driver,
  { first, clients }: { readonly first: number; readonly clients: number },
): Promise<Counts> {
  const connected: unknown[] = [];
  let used = 0;
  const come = async (number: number): Promise<void> => {
    const client = await by.connect(number);
    connected.push(client);
    if (!by.use) return;
    await by.use(client);
    used += 1;
  };
  const numbers = Array.from({ length: clients }, (_, at) => first + at);
  await inParallel(numbers, come, { atOnce });
  await inParallel(connected, (client) => by.disconnect(client), { atOnce });
  return { connected: connected.length, used };
}

answerOrders<DriverOrder>(carryOut);
