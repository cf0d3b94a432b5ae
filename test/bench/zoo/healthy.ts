// A seed of nothing, for the control run.

/** Never anything. */
export function seeded(): number {
  return 0;
}
