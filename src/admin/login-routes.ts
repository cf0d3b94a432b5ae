// Signing in and out: trades the token, or a one-time code, for a cookie that scripts cannot read.

import type { Answer } from "./answer.ts";
import { empty, problem } from "./answer.ts";
import type { AdminAuth } from "./admin-auth.ts";
import type { AdminRequest, Route } from "./router.ts";

/** Answers a wrong guess: 401, or 429 when there were too many. */
export function guessAnswer(retrySeconds: number): Answer {
  if (retrySeconds > 0) {
    return problem("too_many_guesses", "too many wrong tokens; the right one is still accepted", {
      "Retry-After": String(retrySeconds),
      Connection: "close",
    });
  }
  return problem("unauthorized", "this is not the admin token", { "WWW-Authenticate": "Bearer", Connection: "close" });
}

/** The routes. */
export function loginRoutes(auth: AdminAuth): readonly Route[] {
  return [
    { path: "/login", access: "login", methods: { POST: (request) => signIn(auth, request) } },
    {
      path: "/logout",
      access: "token",
      methods: { POST: ({ headers }) => empty({ headers: { "Set-Cookie": auth.signOut(headers.cookie) } }) },
    },
  ];
}

async function signIn(auth: AdminAuth, request: AdminRequest): Promise<Answer> {
  const body = await request.body();
  if ("refusal" in body) return body.refusal;
  const secret = body.fields.get("token") ?? body.fields.get("code");
  if (typeof secret !== "string") return problem("bad_request", 'send {"token": "..."} or {"code": "..."}');
  const result = auth.signIn(secret, request.peer);
  return "setCookie" in result
    ? empty({ headers: { "Set-Cookie": result.setCookie } })
    : guessAnswer(result.retrySeconds);
}
