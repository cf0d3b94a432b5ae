// What the page knows, as signals that its parts read. Made once; frames and answers change it, parts only read it.

import type { ReadonlySignal, Signal } from "@preact/signals";
import { batch, signal } from "@preact/signals";
import type { LiveAbout, LiveFrame, LiveHeap, LiveNow } from "../admin/live-frame.ts";
import type { SnapshotEntry } from "../leaks/snapshot-entry.ts";
import type { Arrival } from "../observe/arrivals.ts";
import { History } from "./history.ts";
import type { LinkState } from "./live-link.ts";
import { LiveLink } from "./live-link.ts";
import type { Outcome } from "./requests.ts";
import { listSnapshots, signIn, signOut } from "./requests.ts";
import type { Finding } from "./verdict.ts";
import { LedgerWatch } from "./verdict.ts";

/** A sentence about what somebody has just done. */
export interface Notice {
  readonly tone: "good" | "bad" | "quiet";
  readonly text: string;
}

/** Everything. */
export class PageState {
  readonly history: History = new History();
  readonly #link: Signal<LinkState> = signal({ kind: "connecting" });
  readonly #now: Signal<LiveNow | undefined> = signal(undefined);
  readonly #about: Signal<LiveAbout | undefined> = signal(undefined);
  readonly #heap: Signal<LiveHeap | undefined> = signal(undefined);
  /** The wall-clock time of the frame that brought the heap's trail, which tells ages. */
  readonly #heapAtMs: Signal<number> = signal(0);
  readonly #arrivals: Signal<readonly Arrival[]> = signal([]);
  readonly #findings: Signal<readonly Finding[]> = signal([]);
  readonly #snapshots: Signal<readonly SnapshotEntry[] | undefined> = signal(undefined);
  readonly #revision: Signal<number> = signal(0);
  readonly #notice: Signal<Notice | undefined> = signal(undefined);
  readonly #watch = new LedgerWatch();
  readonly #live: LiveLink;

  constructor() {
    this.#live = new LiveLink({
      onState: (state) => {
        this.#link.value = state;
      },
      onFrame: (frame) => batch(() => this.#apply(frame)),
    });
  }

  get link(): ReadonlySignal<LinkState> {
    return this.#link;
  }
  get now(): ReadonlySignal<LiveNow | undefined> {
    return this.#now;
  }
  get about(): ReadonlySignal<LiveAbout | undefined> {
    return this.#about;
  }
  get heap(): ReadonlySignal<LiveHeap | undefined> {
    return this.#heap;
  }
  get heapAtMs(): ReadonlySignal<number> {
    return this.#heapAtMs;
  }
  /** The newest first. */
  get arrivals(): ReadonlySignal<readonly Arrival[]> {
    return this.#arrivals;
  }
  get findings(): ReadonlySignal<readonly Finding[]> {
    return this.#findings;
  }
  /** Undefined until they were listed. */
  get snapshots(): ReadonlySignal<readonly SnapshotEntry[] | undefined> {
    return this.#snapshots;
  }
  /** Grows with every frame: {@link history} has changed. */
  get revision(): ReadonlySignal<number> {
    return this.#revision;
  }
  /** What somebody's last action led to. */
  get notice(): ReadonlySignal<Notice | undefined> {
    return this.#notice;
  }

  /** Begins: with the code of the URL's fragment if there is one, else with the cookie that may be there. */
  async start(fragment: string): Promise<void> {
    const code = new URLSearchParams(fragment.replace(/^#/u, "")).get("code");
    if (code !== null) {
      const outcome = await signIn({ code });
      // A code works once, so after a reload the cookie of the first time counts.
      if (outcome.kind === "refused" && outcome.status !== 401) this.tell({ tone: "bad", text: outcome.message });
    }
    this.#live.connect();
  }

  /** Signs in by token; answers why not, in words. */
  async signIn(token: string): Promise<string | undefined> {
    const outcome = await signIn({ token });
    if (outcome.kind === "refused") return outcome.message;
    this.#notice.value = undefined;
    this.#live.connect();
    return undefined;
  }

  /** Signs out. Even if that cannot be told to the process, the page shows nothing more. */
  async signOut(): Promise<void> {
    await signOut();
    this.#now.value = undefined;
    this.history.clear();
    this.#live.signedOut();
  }

  /** Connects now instead of later. */
  reconnect(): void {
    this.#live.connect();
  }

  /** Shows a sentence; undefined takes the last one away. */
  tell(notice: Notice | undefined): void {
    this.#notice.value = notice;
  }

  /** Takes what a request answered: its value, or undefined after telling why there is none. */
  valueOf<T>(outcome: Outcome<T>): { readonly value: T } | undefined {
    switch (outcome.kind) {
      case "ok":
        return outcome;
      case "signed_out":
        this.#live.signedOut();
        return undefined;
      default:
        this.tell({ tone: "bad", text: outcome.message });
        return undefined;
    }
  }

  /** Lists the snapshots anew. */
  async refreshSnapshots(): Promise<void> {
    const found = this.valueOf(await listSnapshots());
    if (found) this.#snapshots.value = found.value;
  }

  #apply({ now, about, heap, arrivals }: LiveFrame): void {
    if (about && about.instance !== this.#about.peek()?.instance) this.#begin(about);
    this.history.add(now);
    this.#now.value = now;
    if (heap) {
      this.#heap.value = heap;
      this.#heapAtMs.value = now.atMs;
    }
    if (arrivals) this.#arrivals.value = arrivals;
    this.#findings.value = this.#watch.look(now.kinds);
    this.#revision.value += 1;
  }

  /** Another process answers: what the last one said no longer counts. */
  #begin(about: LiveAbout): void {
    this.#about.value = about;
    this.history.clear();
    this.#watch.reset();
    document.title = `Caisson ${about.role}`;
    if (about.snapshots) void this.refreshSnapshots();
  }
}
