// The process that loads a driver and makes clients by it, as its parent says. It judges nothing; a client that fails fails
// the order.

import { pathToFileURL } from "node:url";
import { messageOf } from "../../../src/lifecycle/errors.ts";
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
      driver = await load(order.path);
      return {};
    }
    case "round":
      if (!driver) throw new Error("no driver was loaded");
      return round(driver, order);
    default:
      throw new Error(`unknown order: ${JSON.stringify(order satisfies never)}`);
  }
}

async function load(path: string): Promise<Driver> {
  try {
    const module: unknown = await import(pathToFileURL(path).href);
    return driverIn(typeof module === "object" && module !== null ? module : {});
  } catch (error) {
    throw new Error(`${path} cannot be loaded: ${messageOf(error)}`, { cause: error });
  }
}

interface Connected {
  readonly number: number;
  /** What the driver has of it; nothing if it keeps that itself. */
  readonly client: unknown;
}

async function round(
  by: Driver,
  { first, clients }: { readonly first: number; readonly clients: number },
): Promise<Counts> {
  const connected: Connected[] = [];
  let used = 0;
  const come = async (number: number): Promise<void> => {
    const client = await told("connect", number, () => by.connect(number));
    connected.push({ number, client });
    if (!by.use) return;
    await told("use", number, async () => by.use?.(client));
    used += 1;
  };
  const leave = ({ number, client }: Connected): Promise<void> =>
    told("disconnect", number, () => by.disconnect(client));
  const numbers = Array.from({ length: clients }, (_, at) => first + at);
  await inParallel(numbers, come, { atOnce });
  await inParallel(connected, leave, { atOnce });
  return { connected: connected.length, used };
}

/** What a function of the driver does for one client; its failure says which and whose. */
async function told<T>(name: keyof Driver, number: number, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw new Error(`${name} of client ${number}: ${messageOf(error)}`, { cause: error });
  }
}

answerOrders<DriverOrder>(carryOut);
