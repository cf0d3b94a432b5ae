// A small typed emitter for the objects that serve() and connect() return. Listeners are the user's own; one that throws
// is reported as a fault and does not disturb the tunnel.

/** Called with one event. */
export type Listener<Event> = (event: Event) => void;

/** Emits the events of `Events`, a map from event name to payload. */
export class TypedEvents<Events extends object> {
  readonly #listeners: Map<keyof Events, Set<Listener<never>>> = new Map();
  readonly #onFault: (error: unknown) => void;

  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  /** How many listeners there are in all. */
  get size(): number {
    let count = 0;
    for (const set of this.#listeners.values()) count += set.size;
    return count;
  }

  /** Adds a listener. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(listener));
  }

  /** Removes a listener. */
  off<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): void {
    this.#listeners.get(name)?.delete(listener);
  }

  /** Whether anybody listens: spares the making of a payload. */
  wants(name: keyof Events): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  /** Calls the listeners of `name`. */
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    const set = this.#listeners.get(name);
    if (!set) return;
    for (const listener of set) {
      try {
        (listener as Listener<Events[Name]>)(event);
      } catch (error) {
        this.#onFault(error);
      }
    }
  }

  /** Forgets all listeners. */
  clear(): void {
    this.#listeners.clear();
  }
}
