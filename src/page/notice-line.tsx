// What the last button led to, in one sentence, until it is dismissed or replaced.

import type { JSX } from "preact";
import type { PageState } from "./page-state.ts";

/** The sentence. Its region stays, so that screen readers hear what is put into it. */
export function NoticeLine({ state }: { readonly state: PageState }): JSX.Element {
  const notice = state.notice.value;
  return (
    <div class="notices" role="status">
      {notice && (
        <p class={`notice ${notice.tone}`}>
          <span>{notice.text}</span>
          <button type="button" class="small" aria-label="Dismiss this message" onClick={() => state.tell(undefined)}>
            Dismiss
          </button>
        </p>
      )}
    </div>
  );
}
