// A small typed emitter for the objects that serve() and connect() return. Listeners are the user's own; one that throws
// is reported as a fault and does not disturb the tunnel.

/** Called with one event. */
export type Listener<Event> = (event: Event) => void;

/** Emits the events of `Events`, a map from event name to payload. */
export class TypedEvents<Events extends object> {
  #listeners: { [Name in keyof Events]?: Set<Listener<Events[Name]>> } = {};
  readonly #onFault: (error: unknown) => void;

  /** `onFault` hears what listeners throw. */
  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  /** Adds a listener. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): void {
    (this.#listeners[name] ??= new Set()).add(listener);
  }

  /** Removes a listener. */
  off<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): void {
    this.#listeners[name]?.delete(listener);
  }

  /** Whether anybody listens: spares the making of a payload. */
  wants(name: keyof Events): boolean {
    return (this.#listeners[name]?.size ?? 0) > 0;
  }

  /** Calls the listeners of `name`. */
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    const set = this.#listeners[name];
    if (!set) return;
    for (const listener of set) {
      try {
        listener(event);
      } catch (error) {
        this.#onFault(error);
      }
    }
  }

  /** Forgets all listeners. */
  clear(): void {
    this.#listeners = {};
  }
}
