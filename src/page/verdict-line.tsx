// One sentence above everything: whether the ledgers agree. It is the page's only live region that speaks by itself.

import type { JSX } from "preact";
import type { PageState } from "./page-state.ts";

/** The sentence, and what it rests on. */
export function VerdictLine({ state }: { readonly state: PageState }): JSX.Element {
  const findings = state.findings.value;
  const isGood = findings.length === 0;
  return (
    <section class={`verdict ${isGood ? "good" : "bad"}`} aria-label="Verdict">
      <div role="status">
        <p class="sentence">
          {isGood ? "No leak in sight: the ledgers agree, and nothing is retained." : "Something leaks."}
        </p>
        {!isGood && (
          <ul>
            {findings.map(({ kind, column, sentence }) => (
              <li key={`${kind} ${column}`}>{sentence}</li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}
