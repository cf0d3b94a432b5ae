// The endpoints about heap snapshots: taking, listing, fetching and deleting them. Guards and files are the store's.

import { pipeline } from "node:stream/promises";
import { unreachable } from "../lifecycle/errors.ts";
import type { SnapshotEntry, SnapshotRefusal } from "../leaks/snapshot-entry.ts";
import { snapshotWarning } from "../leaks/snapshot-entry.ts";
import type { OpenSnapshot } from "../leaks/snapshots.ts";
import type { Answer } from "./answer.ts";
import { empty, json, problem } from "./answer.ts";
import type { AdminRequest, Handler, Route } from "./router.ts";
import type { AdminSubject, SnapshotAccess } from "./subject.ts";

const basePath = "/debug/heap/snapshots";

/** The routes; they answer 501 if the role takes no snapshots. */
export function snapshotRoutes(subject: AdminSubject): readonly Route[] {
  const whenTaken = (handle: (store: SnapshotAccess, request: AdminRequest) => Answer | Promise<Answer>): Handler => {
    return (request) =>
      subject.snapshots
        ? handle(subject.snapshots, request)
        : problem("not_implemented", "this process takes no heap snapshots");
  };
  return [
    {
      path: basePath,
      access: "token",
      methods: { GET: whenTaken(async (store) => json(await store.list())), POST: whenTaken(take) },
    },
    { path: `${basePath}/:id`, access: "token", methods: { GET: whenTaken(send), DELETE: whenTaken(remove) } },
  ];
}

async function take(store: SnapshotAccess, request: AdminRequest): Promise<Answer> {
  const body = await request.body();
  if ("refusal" in body) return body.refusal;
  const engine = body.fields.get("engine") ?? "v8";
  const force = body.fields.get("force") ?? false;
  if (engine !== "v8" && engine !== "heapdump") return problem("bad_request", 'engine is "v8" or "heapdump"');
  if (typeof force !== "boolean") return problem("bad_request", "force is true or false");
  const result = await store.take({ engine, trigger: "api", force });
  if (!result.ok) return refusalAnswer(result.refusal);
  const { entry } = result;
  return json(
    { ...entry, warning: snapshotWarning },
    { status: 201, headers: { Location: `${basePath}/${encodeURIComponent(entry.id)}` } },
  );
}

function refusalAnswer(refusal: SnapshotRefusal): Answer {
  const { code, message } = refusal;
  switch (code) {
    case "busy":
      return problem("busy", message, { "Retry-After": "10" });
    case "memory":
      return problem("low_memory", message);
    case "stall":
      return problem("long_stall", message);
    case "disk":
      return problem("disk_full", message);
    case "engine":
      return problem("not_implemented", message);
    case "failed":
      return problem("internal", message);
    default:
      return unreachable(code);
  }
}

async function send(store: SnapshotAccess, { params: { id = "" }, method }: AdminRequest): Promise<Answer> {
  const opened = await store.open(id);
  if (!opened) return problem("not_found", "there is no snapshot of this id");
  const { entry } = opened;
  const answer = { status: 200, type: "application/octet-stream", headers: sendHeaders(entry) };
  if (method === "HEAD") {
    await opened.handle.close();
    return { ...answer, body: "" };
  }
  return { ...answer, body: (response) => stream(opened, response), discard: () => opened.handle.close() };
}

function sendHeaders(entry: SnapshotEntry): Record<string, string> {
  return {
    "Content-Length": String(entry.bytes),
    "Content-Disposition": `attachment; filename="${entry.id.replaceAll(/[^\w.-]/gu, "_")}.heapsnapshot"`,
  };
}

/** The stream closes the handle, also when the peer leaves. */
async function stream({ handle, entry }: OpenSnapshot, response: NodeJS.WritableStream): Promise<void> {
  const end = Math.max(0, entry.bytes - 1);
  await pipeline(handle.createReadStream({ highWaterMark: 64 * 1024, end }), response);
}

async function remove(store: SnapshotAccess, { params: { id = "" } }: AdminRequest): Promise<Answer> {
  return (await store.remove(id)) ? empty() : problem("not_found", "there is no snapshot of this id");
}
