// Options that were not given stay absent: with exact optional properties, `undefined` is not the same as nothing.

/** `{ [key]: value }` to be spread into options, or nothing if the value is undefined. */
export function given<Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value };
export function given(key: string, value: unknown): Readonly<Record<string, unknown>> {
  return value === undefined ? {} : { [key]: value };
}
