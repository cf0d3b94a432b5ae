// Counts the entries of containers inside the target. It is sent there as text, and so uses nothing but its argument and
// Node's globals. It looks at objects without calling any code of the target: no getter, no method.

/**
 * The sizes of arrays, Maps, Sets and objects used as maps, by the property that holds them (`Proxy.connections`), or by
 * what is in them where no property does (a variable of a module or closure). Small ones are left out, and so are objects
 * without a prototype that no property holds: nobody hands those out.
 */
export function containers(all: readonly object[]): Record<string, number> {
  /** Smaller ones are not looked up; what leaks a little in many of them is seen in the counts of objects. */
  const least = 64;
  const { types } = process.getBuiltinModule("node:util");
  const { size: mapSize } = Object.getOwnPropertyDescriptors(Map.prototype);
  const { size: setSize } = Object.getOwnPropertyDescriptors(Set.prototype);

  const classes = new Map<object | null, string>();
  const classOf = (value: unknown): string => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || types.isProxy(value)) {
      return value === null ? "null" : typeof value;
    }
    const prototype: object | null = Object.getPrototypeOf(value);
    const known = classes.get(prototype);
    if (known !== undefined) return known;
    const maker: unknown = prototype && Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
    const name: unknown = typeof maker === "function" && Object.getOwnPropertyDescriptor(maker, "name")?.value;
    const found = typeof name === "string" && name !== "" ? name : "object";
    classes.set(prototype, found);
    return found;
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
    return classOf(object) === "Object" || isBare(object) ? Reflect.ownKeys(object).length : 0;
  };
  /** What was made by `Object.create(null)`: no query for the objects of a prototype finds it. */
  const isBare = (object: object): boolean =>
    !types.isProxy(object) && Object.getPrototypeOf(object) === null && !types.isModuleNamespaceObject(object);

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
      if (typeof held !== "object" || held === null) continue;
      if (!sizes.has(held)) {
        const size = isBare(held) ? sizeOf(held) : 0;
        if (size < least) continue;
        sizes.set(held, size);
      }
      const name = `${ownerOf(object)}.${String(key)}`;
      const known = names.get(held);
      // Of several holders always the same gives the name, in whatever order they lie in the heap.
      if (known === undefined || name < known) names.set(held, name);
    }
  }
  const found: Record<string, number> = {};
  for (const [container, size] of sizes) {
    const name = names.get(container) ?? contentOf(container);
    found[name] = (found[name] ?? 0) + size;
  }
  return found;
}
