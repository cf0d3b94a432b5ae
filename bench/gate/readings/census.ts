// What runs inside the target: functions that are sent there as text, and so use nothing but their arguments and Node's
// globals. They look at objects without calling any code of the target: no getter, no method.

/** What {@link census} counts. */
export interface Census {
  /** Objects by the name of their constructor. */
  readonly objects: Readonly<Record<string, number>>;
  /** Listeners by `Emitter:event`, over all emitters. */
  readonly listeners: Readonly<Record<string, number>>;
}

/** Counts objects by constructor and the listeners of emitters by class and event. */
export function census(all: readonly object[]): Census {
  const byPrototype = new Map<object | null, number>();
  const names = new Map<object | null, string>();
  /** A class that knows more events than these has one for each of something, whose names are nobody else's business. */
  const mostEvents = 48;
  const listeners = new Map<string, Map<string, number>>();
  const listen = (emitter: string, event: string, count: number): void => {
    if (count === 0) return;
    const events = listeners.get(emitter) ?? new Map<string, number>();
    listeners.set(emitter, events);
    events.set(event, (events.get(event) ?? 0) + count);
  };
  const nameOf = (prototype: object | null): string => {
    const known = names.get(prototype);
    if (known !== undefined) return known;
    const maker: unknown =
      prototype === null ? undefined : Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
    const named: unknown =
      typeof maker === "function" ? Object.getOwnPropertyDescriptor(maker, "name")?.value : undefined;
    const name = typeof named === "string" && named !== "" ? named : "(anonymous)";
    names.set(prototype, name);
    return name;
  };
  const { isProxy } = process.getBuiltinModule("node:util").types;
  const { getEventListeners } = process.getBuiltinModule("node:events");
  for (let at = 0; at < all.length; at += 1) {
    const object = all[at];
    // Looking at a proxy would run its traps.
    if (object === undefined || isProxy(object)) continue;
    const prototype: object | null = Object.getPrototypeOf(object);
    byPrototype.set(prototype, (byPrototype.get(prototype) ?? 0) + 1);
    if (prototype === AbortSignal.prototype && object instanceof AbortSignal) {
      listen("AbortSignal", "abort", getEventListeners(object, "abort").length);
    }
    const events: unknown = Object.getOwnPropertyDescriptor(object, "_events")?.value;
    if (typeof events !== "object" || events === null) continue;
    for (const event of Reflect.ownKeys(events)) {
      const listening: unknown = Object.getOwnPropertyDescriptor(events, event)?.value;
      const count = typeof listening === "function" ? 1 : Array.isArray(listening) ? listening.length : 0;
      listen(nameOf(prototype), String(event), count);
    }
  }
  const objects: Record<string, number> = {};
  for (const [prototype, count] of byPrototype) {
    const name = nameOf(prototype);
    objects[name] = (objects[name] ?? 0) + count;
  }
  const counts: Record<string, number> = {};
  for (const [emitter, events] of listeners) {
    for (const [event, count] of events) {
      const key = `${emitter}:${events.size > mostEvents ? "(many events)" : event}`;
      counts[key] = (counts[key] ?? 0) + count;
    }
  }
  return { objects, listeners: counts };
}

/** What {@link vitals} reads. */
export interface Vitals {
  readonly memory: NodeJS.MemoryUsage;
  readonly heapSpaces: Readonly<Record<string, number>>;
  readonly handles: Readonly<Record<string, number>>;
}

/** Reads memory first, so that reading the rest is not in it. */
export function vitals(): Vitals {
  const memory = process.memoryUsage();
  const heapSpaces: Record<string, number> = {};
  for (const space of process.getBuiltinModule("node:v8").getHeapSpaceStatistics()) {
    heapSpaces[space.space_name] = space.space_used_size;
  }
  const handles: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) handles[name] = (handles[name] ?? 0) + 1;
  return { memory, heapSpaces, handles };
}

/** Of several readings, each directly after a collection, the one with the smallest heap. Only where there is `gc`. */
export function lowestOf(read: () => Vitals): Vitals {
  const times = 2;
  let lowest: Vitals | undefined;
  for (let n = 0; n < times; n += 1) {
    globalThis.gc?.();
    const next = read();
    if (!lowest || next.memory.heapUsed < lowest.memory.heapUsed) lowest = next;
  }
  return lowest ?? read();
}
