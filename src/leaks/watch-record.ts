// What the watcher remembers of one watched resource. It refers to the resource only weakly; a heap snapshot leads from
// this record over the WeakRef's weak edge to the object that should be gone.

import type { Resource, ResourceKind } from "../lifecycle/resource.ts";

/** Where a watched resource stands: open; closed and young; closed for long; closed, and surely still referred to. */
export type WatchState = "open" | "pending" | "suspect" | "retained";

/** The record of one watched resource. About 280 bytes with its WeakRef, registry cell and map entry. */
export class WatchRecord {
  readonly kind: ResourceKind;
  readonly resource: WeakRef<Resource>;
  /** `session#17`: made when the resource becomes retained, because snapshots hold strings and no numbers. */
  label: string | undefined = undefined;
  readonly openedAtMs: number;
  /** 0 while open. */
  closedAtMs = 0;
  /** The GC clock's turns when it was closed. */
  closedAtTurn = 0;
  /** The GC clock's turns when it became suspect. */
  suspectAtTurn = 0;

  constructor(resource: Resource) {
    this.kind = resource.kind;
    this.resource = new WeakRef(resource);
    this.openedAtMs = resource.openedAtMs;
  }
}

/** A retained resource, as reports tell of it. */
export interface RetainedResource {
  /** Its label in heap snapshots, such as `session#17`. */
  readonly label: string;
  readonly kind: ResourceKind;
  /** Since its close, in milliseconds. */
  readonly closedForMs: number;
  /** From its opening to its close, in milliseconds. */
  readonly openForMs: number;
}
