// News of an end come by several ways (a signal, a socket, an answer that says so), and in no order.

import { setTimeout } from "node:timers/promises";

const lookMs = 100;
const looks = 10;

/** Whether something is so, or becomes so within a second. */
export async function soon(isSo: () => boolean): Promise<boolean> {
  for (let n = 0; n < looks && !isSo(); n += 1) await setTimeout(lookMs);
  return isSo();
}
