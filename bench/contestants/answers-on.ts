// Waits until a contestant answers: its processes listen long before the tunnel stands.

import { request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { CaissonError } from "../../src/lifecycle/errors.ts";

/** How long it may take, and how often it is asked, in milliseconds. */
const patienceMs = 30_000;
const askMs = 50;

/** Resolves at the first 200 to a GET of `/`. Rejects with E_GATE if none comes within 30 s. */
export async function answersOn(place: { readonly port: number; readonly host: string }): Promise<void> {
  const startedAtMs = performance.now();
  while ((await statusOf(place)) !== 200) {
    if (performance.now() - startedAtMs > patienceMs) {
      throw new CaissonError("E_GATE", `nothing answers for ${place.host} on port ${place.port}`);
    }
    await delay(askMs);
  }
}

function statusOf({ port, host }: { readonly port: number; readonly host: string }): Promise<number> {
  return new Promise((resolve) => {
    const asked = request({ port, host: "127.0.0.1", path: "/", agent: false, headers: { Host: host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.setTimeout(patienceMs, () => asked.destroy());
    asked.once("error", () => resolve(0));
    asked.end();
  });
}
