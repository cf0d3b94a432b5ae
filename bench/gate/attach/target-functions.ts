// What runs inside the attached process: functions that are sent there as text, and so use nothing but their arguments and
// Node's globals. They look at objects without calling any code of the target: no getter, no method.

/**
 * The sizes of arrays, Maps, Sets and objects used as maps, by the property that holds them (`Proxy.connections`), or by
 * what is in them where no property does (a variable of a module or closure). Small ones are left out.
 */
export function containers(all: readonly object[]): Record<string, number> {
  /** Smaller ones are not looked up; what leaks a little in many of them is seen in the counts of objects. */
  const least = 64;
  const { types } = process.getBuiltinModule("node:util");
  const { size: mapSize } = Object.getOwnPropertyDescriptors(Map.prototype);
  const { size: setSize } = Object.getOwnPropertyDescriptors(Set.prototype);

  const classOf = (value: unknown): string => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || types.isProxy(value)) {
      return value === null ? "null" : typeof value;
    }
    const prototype: object | null = Object.getPrototypeOf(value);
    const maker: unknown = prototype && Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
    const name: unknown = typeof maker === "function" && Object.getOwnPropertyDescriptor(maker, "name")?.value;
    return typeof name === "string" && name !== "" ? name : "object";
  };
  /** Static properties are told by the name of their class. */
  const ownerOf = (object: object): string => {
    const name: unknown = typeof object === "function" && Object.getOwnPropertyDescriptor(object, "name")?.value;
    return typeof name === "string" && name !== "" ? name : classOf(object);
  };
  const contentOf = (container: object): string => {
    if (types.isMap(container)) {
      const first = Map.prototype.entries.call(container).next().value;
      return `Map of ${classOf(first?.[0])} to ${classOf(first?.[1])}`;
    }
    if (types.isSet(container)) return `Set of ${classOf(Set.prototype.values.call(container).next().value)}`;
    const [first] = Array.isArray(container) ? ["0"] : Reflect.ownKeys(container);
    const content: unknown = first === undefined ? undefined : Object.getOwnPropertyDescriptor(container, first)?.value;
    return `${Array.isArray(container) ? "Array" : "object"} of ${classOf(content)}`;
  };
  const sizeOf = (object: object): number => {
    if (Array.isArray(object)) return object.length;
    if (types.isMap(object)) return Number(mapSize.get?.call(object));
    if (types.isSet(object)) return Number(setSize.get?.call(object));
    return classOf(object) === "Object" || Object.getPrototypeOf(object) === null ? Reflect.ownKeys(object).length : 0;
  };

  const sizes = new Map<object, number>();
  for (let at = 0; at < all.length; at += 1) {
    const object = all[at];
    // The list of all objects may be among them, and looking at a proxy would run its traps.
    if (object === undefined || object === all || types.isProxy(object)) continue;
    const size = sizeOf(object);
    if (size >= least) sizes.set(object, size);
  }
  const names = new Map<object, string>();
  for (let at = 0; at < all.length; at += 1) {
    const object = all[at];
    if (object === undefined || types.isProxy(object)) continue;
    if (Array.isArray(object) || ArrayBuffer.isView(object) || sizes.has(object)) continue;
    for (const key of Reflect.ownKeys(object)) {
      const held: unknown = Object.getOwnPropertyDescriptor(object, key)?.value;
      if (typeof held === "object" && held !== null && sizes.has(held) && !names.has(held)) {
        names.set(held, `${ownerOf(object)}.${String(key)}`);
      }
    }
  }
  const found: Record<string, number> = {};
  for (const [container, size] of sizes) {
    const name = names.get(container) ?? contentOf(container);
    found[name] = (found[name] ?? 0) + size;
  }
  return found;
}

/** What {@link facts} tells. */
export interface TargetFacts {
  /** Open descriptors by type; null where there is no /proc. */
  readonly fds: Record<string, number> | null;
  /** What keeps the event loop alive, by type. */
  readonly handles: Record<string, number>;
}

/** What can be read cheaply, to see whether the process has come to rest. */
export function facts(): TargetFacts {
  const handles: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) handles[name] = (handles[name] ?? 0) + 1;
  const fs = process.getBuiltinModule("node:fs");
  const folder = "/proc/self/fd";
  if (process.platform !== "linux" || !fs.existsSync(folder)) return { fds: null, handles };
  const fds: Record<string, number> = {};
  for (const name of fs.readdirSync(folder)) {
    let link = "gone:";
    try {
      link = fs.readlinkSync(`${folder}/${name}`);
    } catch {
      continue; // The one by which the folder was read.
    }
    const type = link.startsWith("/")
      ? "file"
      : link
          .replace(/^anon_inode:/, "")
          .replace(/:.*$/, "")
          .replaceAll(/[[\]]/g, "");
    fds[type] = (fds[type] ?? 0) + 1;
  }
  return { fds, handles };
}

/** What does not change while the process runs. */
export interface TargetIdentity {
  /** The version of Node, such as v22.1.0. */
  readonly node: string;
  /** Flags that decide how its heap behaves; nothing else of its command line. */
  readonly flags: readonly string[];
}

/** Reads {@link TargetIdentity}. */
export function identity(): TargetIdentity {
  const given = [...process.execArgv, ...(process.env["NODE_OPTIONS"] ?? "").split(" ")];
  const telling = /^--(?:(?:no-)?(?:opt|sparkplug|maglev|lazy-feedback-allocation)|jitless)$/;
  return { node: process.version, flags: given.filter((flag) => telling.test(flag)) };
}
