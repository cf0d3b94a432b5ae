// How the core names its own asynchronous operations, so that an observer can tell one that can never settle.
// The core only calls run(); whether anybody follows is decided when a role is assembled.

/** Runs asynchronous operations under a name. */
export interface OperationScope {
  /** Calls `operation` at once and settles as it does. `name` comes from a closed set of words, such as `connect`. */
  run<T>(name: string, operation: () => Promise<T>): Promise<T>;
}

/** Follows nothing: the default. */
export const unfollowedOperations: OperationScope = Object.freeze({
  run: <T>(_name: string, operation: () => Promise<T>): Promise<T> => operation(),
});
