// How a seed gets into an unchanged process: it replaces a public method of a class that the process runs, and gets the
// original to call. Every instance is affected, the private parts of none can be reached.

/** The names of the methods of `T`. */
type MethodName<T> = {
  [Name in keyof T]-?: T[Name] extends (...args: never[]) => unknown ? Name : never;
}[keyof T];

type Arguments<T, Name extends keyof T> = T[Name] extends (...args: infer Args) => unknown ? Args : never;
type Result<T, Name extends keyof T> = T[Name] extends (...args: never[]) => infer Value ? Value : never;

/** What a method becomes: `original` is bound to the same instance. */
export type Replacement<T, Name extends keyof T> = (
  this: T,
  original: (...args: Arguments<T, Name>) => Result<T, Name>,
  ...args: Arguments<T, Name>
) => Result<T, Name>;

/** Replaces the method `name` of every instance of `type`, present and to come. Throws a TypeError if there is none. */
export function patch<T extends object, Name extends MethodName<T>>(
  type: { readonly prototype: T },
  name: Name,
  replacement: Replacement<T, Name>,
): void {
  const original: unknown = type.prototype[name];
  if (typeof original !== "function") throw new TypeError(`${String(name)} is no method`);
  const value = function patched(this: T, ...args: Arguments<T, Name>): Result<T, Name> {
    const bound = (...given: Arguments<T, Name>): Result<T, Name> => Reflect.apply(original, this, given);
    return replacement.call(this, bound, ...args);
  };
  Object.defineProperty(type.prototype, name, { value, writable: true, configurable: true });
}
