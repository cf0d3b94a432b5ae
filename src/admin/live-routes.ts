// The endpoint that live pages listen to, and the archive for a bug report that they offer.

import type { Redactor } from "../observe/redactor.ts";
import type { AdminReply } from "./admin-client.ts";
import type { Answer } from "./answer.ts";
import { problem } from "./answer.ts";
import { collectDiag } from "./diag.ts";
import type { LiveFeed } from "./live-feed.ts";
import type { AdminRequest, Route } from "./router.ts";
import { Router } from "./router.ts";

/** The routes of the live page's data; `feed` is absent where a role cannot be shown live. */
export function liveRoutes(feed: LiveFeed | undefined): readonly Route[] {
  return [{ path: "/api/live", access: "token", methods: { GET: (request) => live(feed, request) } }];
}

function live(feed: LiveFeed | undefined, { method, permitted }: AdminRequest): Answer {
  if (!feed) return problem("not_implemented", "this process cannot be shown live");
  const type = "text/event-stream; charset=utf-8";
  if (method === "HEAD") return { status: 200, type, body: "" };
  if (!feed.hasRoom) {
    return problem("too_many_pages", "too many live pages are open; close one of them", { "Retry-After": "5" });
  }
  return { status: 200, type, body: (response) => feed.tell({ response, permitted }) };
}

/** The route that collects an archive from other routes of this listener, one at a time. */
export function diagRoutes(routes: readonly Route[], redactor: Redactor): readonly Route[] {
  const router = new Router(routes);
  let isCollecting = false;
  const collect = async (request: AdminRequest): Promise<Answer> => {
    if (isCollecting) return problem("busy", "another archive is being collected", { "Retry-After": "1" });
    isCollecting = true;
    try {
      const ask = (path: string, question?: { readonly accept?: string }): Promise<AdminReply> =>
        askHere(router, { path, accept: question?.accept, request });
      const { name, bytes } = await collectDiag({ ask, redactor });
      const headers = { "Content-Disposition": `attachment; filename="${name}"` };
      return { status: 200, type: "application/gzip", body: bytes, headers };
    } finally {
      isCollecting = false;
    }
  };
  return [{ path: "/debug/diag", access: "token", methods: { POST: collect } }];
}

/** Asks a handler without a connection in between. Only for those that answer with a whole body. */
async function askHere(
  router: Router,
  asked: { readonly path: string; readonly accept: string | undefined; readonly request: AdminRequest },
): Promise<AdminReply> {
  const { path, accept, request } = asked;
  const match = router.find("GET", path);
  const answer = await match?.handler?.({
    ...request,
    method: "GET",
    path,
    params: match.params,
    query: new URLSearchParams(),
    headers: accept === undefined ? {} : { accept },
    body: () => Promise.resolve({ fields: new Map() }),
  });
  if (!answer || typeof answer.body === "function") return { status: 404, headers: {}, body: Buffer.alloc(0) };
  return { status: answer.status, headers: {}, body: Buffer.from(answer.body) };
}
