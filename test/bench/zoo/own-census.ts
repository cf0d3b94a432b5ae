// The census that the gate takes of another process, taken of this one: objects by constructor, listeners, and sizes of
// containers, over an inspector session of the process with itself. It collects garbage first, as the gate's does.

import { Session } from "node:inspector/promises";
import { census } from "../../../bench/gate/readings/census.ts";
import { containers } from "../../../bench/gate/readings/containers.ts";

/** What is there at one moment. */
export interface OwnCensus {
  readonly objects: Readonly<Record<string, number>>;
  readonly listeners: Readonly<Record<string, number>>;
  readonly containers: Readonly<Record<string, number>>;
}

/** Takes it. */
export async function ownCensus(): Promise<OwnCensus> {
  const session = new Session();
  session.connect();
  try {
    const { result } = await session.post("Runtime.evaluate", { expression: "Object.prototype" });
    const found = await session.post("Runtime.queryObjects", { prototypeObjectId: result.objectId ?? "" });
    const counted = await session.post("Runtime.callFunctionOn", {
      objectId: found.objects.objectId ?? "",
      functionDeclaration: `function () {
        return JSON.stringify({ ...(${census.toString()})(this), containers: (${containers.toString()})(this) });
      }`,
      returnByValue: true,
    });
    return JSON.parse(String(counted.result.value)) as OwnCensus;
  } finally {
    session.disconnect();
  }
}
