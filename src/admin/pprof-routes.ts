// The endpoints for profiles, with Go's paths and parameter names, so that its tools and scrapers find what they know.

import { unreachable } from "../lifecycle/errors.ts";
import type { Answer } from "./answer.ts";
import { problem } from "./answer.ts";
import type { Profiler, ProfileResult } from "./profiler.ts";
import type { AdminRequest, Handler, Route } from "./router.ts";

/** The longest profile, in seconds. */
const maxSeconds = 120;
const defaultCpuSeconds = 30;

/** The routes. */
export function pprofRoutes(profiler: Profiler): readonly Route[] {
  const heap: Handler = (request) =>
    profiled(request, { defaultSeconds: 0, take: (seconds) => profiler.heap(seconds, request.gone) });
  const cpu: Handler = (request) =>
    profiled(request, { defaultSeconds: defaultCpuSeconds, take: (seconds) => profiler.cpu(seconds, request.gone) });
  return [
    { path: "/debug/pprof/heap", access: "token", methods: { GET: heap } },
    { path: "/debug/pprof/profile", access: "token", methods: { GET: cpu } },
  ];
}

async function profiled(
  request: AdminRequest,
  kind: { readonly defaultSeconds: number; readonly take: (seconds: number) => Promise<ProfileResult> },
): Promise<Answer> {
  const given = request.query.get("seconds");
  const seconds = given === null ? kind.defaultSeconds : Number(given);
  if (!(seconds >= 0 && seconds <= maxSeconds) || given === "") {
    return problem("bad_request", `seconds is a number from 0 to ${maxSeconds}`);
  }
  const result = await kind.take(seconds);
  if ("profile" in result) {
    const headers = { "Content-Disposition": 'attachment; filename="profile.pb.gz"' };
    return { status: 200, type: "application/octet-stream", body: result.profile, headers };
  }
  const { refused, message } = result;
  switch (refused) {
    case "busy":
      return problem("busy", message);
    case "missing":
      return problem("not_implemented", message);
    case "closed":
      return problem("not_ready", message);
    default:
      return unreachable(refused);
  }
}
