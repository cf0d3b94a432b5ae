// Waiting for what happens elsewhere: polls a condition, for state that no event announces (another side's ledger).

const pollMs = 5;

/** Resolves when `condition` answers true; rejects with `what` and the last detail after `timeoutMs`. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  options: { readonly what: string; readonly timeoutMs?: number; readonly detail?: () => unknown },
): Promise<void> {
  const deadline = performance.now() + (options.timeoutMs ?? 10_000);
  while (!(await condition())) {
    if (performance.now() > deadline) {
      const detail = options.detail === undefined ? "" : `: ${JSON.stringify(options.detail())}`;
      throw new Error(`waited in vain until ${options.what}${detail}`);
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
