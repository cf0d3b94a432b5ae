// What the page asks of the private listener besides the live stream. Every answer is a value: refusals carry the listener's
// own sentence, and nothing here rejects.

import type { SnapshotEntry } from "../leaks/snapshot-entry.ts";
import type { LogLevel } from "../observe/log-level.ts";

/** What became of a request. `signed_out`: the cookie is no longer good. */
export type Outcome<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "signed_out" }
  | { readonly kind: "refused"; readonly status: number; readonly message: string };

/** What a forced collection did; bytes. */
export interface CollectionReport {
  readonly tookMs: number;
  readonly before: { readonly heapUsed: number };
  readonly after: { readonly heapUsed: number };
}

/** Signs in by the admin token, or by a code that works once. */
export function signIn(secret: { readonly token: string } | { readonly code: string }): Promise<Outcome<undefined>> {
  return ask("/login", { method: "POST", body: secret });
}

/** Ends the sign-in. */
export function signOut(): Promise<Outcome<undefined>> {
  return ask("/logout", { method: "POST" });
}

/** Forces a major collection. */
export function collectGarbage(): Promise<Outcome<CollectionReport>> {
  return ask("/debug/gc", { method: "POST" });
}

/** Sets the level of the log. */
export function setLogLevel(level: LogLevel): Promise<Outcome<unknown>> {
  return ask("/api/log-level", { method: "PUT", body: { level } });
}

/** The snapshots that are kept, the oldest first. */
export function listSnapshots(): Promise<Outcome<readonly SnapshotEntry[]>> {
  return ask(snapshotsPath, { method: "GET" });
}

/** Takes a snapshot. */
export function takeSnapshot(options: {
  readonly engine: string;
  readonly force: boolean;
}): Promise<Outcome<SnapshotEntry>> {
  return ask(snapshotsPath, { method: "POST", body: options });
}

/** Deletes a snapshot. */
export function removeSnapshot(id: string): Promise<Outcome<undefined>> {
  return ask(snapshotPath(id), { method: "DELETE" });
}

/** Where a snapshot is fetched from. */
export function snapshotPath(id: string): string {
  return `${snapshotsPath}/${encodeURIComponent(id)}`;
}

/** Collects the archive for a bug report and hands it to the browser's downloads. Answers its size in bytes. */
export async function downloadDiag(): Promise<Outcome<number>> {
  const answer = await send("/debug/diag", { method: "POST" });
  if (!(answer instanceof Response)) return answer;
  const name =
    /filename="([^"]+)"/u.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? "caisson-diag.tar.gz";
  try {
    const blob = await answer.blob();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    // The download has its own hold on the bytes once it has begun.
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    return { kind: "ok", value: blob.size };
  } catch (error) {
    return unreachableAnswer(error);
  }
}

const snapshotsPath = "/debug/heap/snapshots";

interface Question {
  readonly method: string;
  readonly body?: object;
}

async function ask<T>(path: string, question: Question): Promise<Outcome<T>> {
  const answer = await send(path, question);
  if (!(answer instanceof Response)) return answer;
  try {
    const text = await answer.text();
    // The listener and this page are built together: what it answers has the shape that its own types tell.
    const value: T = JSON.parse(text === "" ? "null" : text);
    return { kind: "ok", value };
  } catch (error) {
    return unreachableAnswer(error);
  }
}

async function send(
  path: string,
  { method, body }: Question,
): Promise<Response | Exclude<Outcome<never>, { kind: "ok" }>> {
  try {
    const response = await fetch(path, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    });
    if (response.ok) return response;
    // At the login a 401 is an answer like others; everywhere else it means that the cookie is gone.
    if (response.status === 401 && path !== "/login") return { kind: "signed_out" };
    return { kind: "refused", status: response.status, message: await messageOf(response) };
  } catch (error) {
    return unreachableAnswer(error);
  }
}

/** The sentence of an error answer. */
async function messageOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "message" in value && typeof value.message === "string") {
      return value.message;
    }
  } catch {
    // Not from the listener itself; its status will do.
  }
  return `the answer was ${response.status} ${response.statusText}`;
}

function unreachableAnswer(error: unknown): { kind: "refused"; status: number; message: string } {
  return {
    kind: "refused",
    status: 0,
    message: `the process cannot be reached (${error instanceof Error ? error.message : "no answer"})`,
  };
}
