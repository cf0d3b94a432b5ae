// The form that asks for the admin token. It keeps the token in the field only, and empties that after each attempt.

import { useSignal } from "@preact/signals";
import type { JSX, TargetedSubmitEvent } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { PageState } from "./page-state.ts";

/** Asks for the token until it is right. */
export function Login({ state }: { readonly state: PageState }): JSX.Element {
  const problem = useSignal("");
  const isBusy = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);

  const submit = async (): Promise<void> => {
    const token = field.current?.value.trim() ?? "";
    if (token === "" || isBusy.value) return;
    isBusy.value = true;
    const refusal = await state.signIn(token);
    isBusy.value = false;
    problem.value = refusal ?? "";
    if (!field.current || refusal === undefined) return;
    field.current.value = "";
    field.current.focus();
  };
  const onSubmit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    void submit();
  };

  const wasHere = state.about.value !== undefined;
  return (
    <main class="login">
      <form class="panel" onSubmit={onSubmit}>
        <h1>Caisson</h1>
        <p>
          {wasHere
            ? "You are signed out, or the sign-in has expired."
            : "This page shows what a tunnel holds, so it asks who you are."}
        </p>
        <label for="token">Admin token</label>
        <input
          id="token"
          ref={field}
          type="password"
          autocomplete="current-password"
          spellcheck={false}
          required
          aria-describedby="token-hint token-problem"
          aria-invalid={problem.value !== ""}
        />
        <p id="token-problem" class="problem" role="alert">
          {problem.value}
        </p>
        <button type="submit" class="primary" disabled={isBusy.value}>
          Sign in
        </button>
        <p id="token-hint" class="hint">
          It is the one line of the file that <code>--admin-token-file</code> names; without that flag, of{" "}
          <code>admin-token</code> in Caisson’s state folder.
        </p>
      </form>
    </main>
  );
}
