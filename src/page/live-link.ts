// The page's hold on the live stream: connects, reads, and after a loss connects again with growing waits. Owns at most one
// request and one timer. While the page is hidden for long it lets go, so that nothing is computed for nobody.

import type { LiveFrame } from "../admin/live-frame.ts";
import { EventSplitter } from "./event-splitter.ts";
import { retryMs } from "./retry.ts";

/** Where the link stands. */
export type LinkState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | { readonly kind: "waiting"; readonly reason: string; readonly retryAtMs: number }
  | { readonly kind: "hidden" }
  | { readonly kind: "signed_out" };

/** Who hears of it. */
export interface LinkListener {
  readonly onState: (state: LinkState) => void;
  readonly onFrame: (frame: LiveFrame) => void;
}

/** A page that was hidden for so long lets go, in milliseconds. */
const hiddenMs = 30_000;
/** A stream on which nothing came for so long is dead: the process sends every second, unless it stands still. */
const silentMs = 40_000;

/** One link; made once per page. */
export class LiveLink {
  readonly #listener: LinkListener;
  #request: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hideTimer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;

  constructor(listener: LinkListener) {
    this.#listener = listener;
    document.addEventListener("visibilitychange", this.#onVisibility);
    globalThis.addEventListener("online", this.#onOnline);
  }

  /** Connects now, whatever it waited for. */
  connect(): void {
    this.#let();
    const request = new AbortController();
    this.#request = request;
    this.#listener.onState({ kind: "connecting" });
    void this.#run(request);
  }

  /** Lets go and stays so until {@link connect}: nobody is signed in. */
  signedOut(): void {
    this.#let();
    this.#listener.onState({ kind: "signed_out" });
  }

  async #run(request: AbortController): Promise<void> {
    const reason = await this.#listen(request);
    // Somebody else has taken over, or this was let go of.
    if (this.#request !== request) return;
    if (reason === undefined) {
      this.signedOut();
      return;
    }
    this.#let();
    this.#failures += 1;
    const waitMs = retryMs(this.#failures, Math.random());
    this.#listener.onState({ kind: "waiting", reason, retryAtMs: Date.now() + waitMs });
    this.#timer = setTimeout(() => this.connect(), waitMs);
  }

  /** Reads until the stream ends. Answers why it did, or undefined when nobody is signed in. */
  async #listen(request: AbortController): Promise<string | undefined> {
    try {
      const response = await fetch("/api/live", { signal: request.signal, headers: { Accept: "text/event-stream" } });
      if (response.status === 401) return undefined;
      if (response.status === 503) return "too many live pages are open; this one waits for a place";
      if (!response.ok || !response.body) return `the process answered ${response.status}`;
      await this.#read(response.body, request);
      return "the process closed the connection";
    } catch {
      return "the process does not answer";
    }
  }

  async #read(body: ReadableStream<Uint8Array>, request: AbortController): Promise<void> {
    const splitter = new EventSplitter();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    try {
      for (;;) {
        this.#timer = setTimeout(() => request.abort(), silentMs);
        const { done, value } = await reader.read();
        clearTimeout(this.#timer);
        if (done || this.#request !== request) return;
        for (const data of splitter.add(decoder.decode(value, { stream: true }))) this.#take(data);
      }
    } finally {
      // A stream that is left in the middle would go on filling its buffer.
      request.abort();
    }
  }

  #take(data: string): void {
    const frame: LiveFrame = JSON.parse(data);
    if (this.#failures > 0 || frame.about) this.#listener.onState({ kind: "live" });
    this.#failures = 0;
    this.#listener.onFrame(frame);
  }

  #let(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#hideTimer);
    this.#timer = undefined;
    this.#hideTimer = undefined;
    const request = this.#request;
    this.#request = undefined;
    request?.abort();
  }

  readonly #onVisibility = (): void => {
    clearTimeout(this.#hideTimer);
    if (document.visibilityState === "hidden") {
      this.#hideTimer = setTimeout(() => this.#hide(), hiddenMs);
    } else if (this.#isHidden) {
      this.#isHidden = false;
      this.connect();
    }
  };
  #isHidden = false;

  #hide(): void {
    if (!this.#request && this.#timer === undefined) return;
    this.#let();
    this.#isHidden = true;
    this.#listener.onState({ kind: "hidden" });
  }

  readonly #onOnline = (): void => {
    if (this.#timer !== undefined && !this.#request) this.connect();
  };
}
