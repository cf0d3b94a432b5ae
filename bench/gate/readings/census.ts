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
  const listeners = new Map<string, number>();
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
      const aborts = getEventListeners(object, "abort").length;
      if (aborts > 0) listeners.set("AbortSignal:abort", (listeners.get("AbortSignal:abort") ?? 0) + aborts);
    }
    const events: unknown = Object.getOwnPropertyDescriptor(object, "_events")?.value;
    if (typeof events !== "object" || events === null) continue;
    for (const event of Reflect.ownKeys(events)) {
      const listening: unknown = Object.getOwnPropertyDescriptor(events, event)?.value;
      const count = typeof listening === "function" ? 1 : Array.isArray(listening) ? listening.length : 0;
      const key = `${nameOf(prototype)}:${String(event)}`;
      if (count > 0) listeners.set(key, (listeners.get(key) ?? 0) + count);
    }
  }
  const objects: Record<string, number> = {};
  for (const [prototype, count] of byPrototype) {
    const name = nameOf(prototype);
    objects[name] = (objects[name] ?? 0) + count;
  }
  return { objects, listeners: Object.fromEntries(listeners) };
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
