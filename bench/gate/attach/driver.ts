// What a driver file of `caisson gate --attach` exports. Its functions are called in a process of the gate's own.

/** How clients of the server that is gated come and go. `connect` and `disconnect` are needed. */
export interface Driver {
  /** Connects one client; resolves when the server knows it. Clients are numbered from 0 through the whole run. */
  connect(number: number): Promise<unknown>;
  /** Uses a connected client, such as by a request whose answer it compares; rejects if anything is not as it should be. */
  use?(client: unknown): Promise<void>;
  /** Disconnects it; resolves when that is done. */
  disconnect(client: unknown): Promise<void>;
}

/**
 * The driver in a module's exports, or in its default export, which is all that a CommonJS module surely has: which of its
 * properties Node finds as names of their own depends on how they are written. Throws a TypeError that says what is missing.
 */
export function driverIn(module: object): Driver {
  const found = ["default" in module ? module.default : undefined, module].find(isDriver);
  if (found) return found;
  throw new TypeError(
    "a driver exports the functions connect(number) and disconnect(client), and may export use(client)",
  );
}

function isDriver(value: unknown): value is Driver {
  if (typeof value !== "object" || value === null) return false;
  const isFunction = (name: string): boolean => typeof Reflect.get(value, name) === "function";
  return isFunction("connect") && isFunction("disconnect") && (!("use" in value) || isFunction("use"));
}
