// The endpoints about the role itself: health, metrics, tunnels, ledgers, garbage, logs.

import { expositionTypes, negotiateFormat } from "../observe/exposition-format.ts";
import { isLogLevel, logLevels } from "../observe/log-level.ts";
import type { Answer } from "./answer.ts";
import { empty, json, problem, text } from "./answer.ts";
import { processFacts } from "./process-facts.ts";
import type { AdminRequest, Route } from "./router.ts";
import type { AdminSubject } from "./subject.ts";

/** The routes of a role. */
export function roleRoutes(subject: AdminSubject): readonly Route[] {
  return [...openRoutes(subject), ...tunnelRoutes(subject), ...debugRoutes(subject), ...logRoutes(subject)];
}

function openRoutes(subject: AdminSubject): readonly Route[] {
  return [
    { path: "/livez", access: "open", methods: { GET: () => text("ok\n") } },
    { path: "/readyz", access: "open", methods: { GET: () => readiness(subject) } },
    { path: "/metrics", access: "open", methods: { GET: (request) => metrics(subject, request) } },
  ];
}

function tunnelRoutes(subject: AdminSubject): readonly Route[] {
  return [
    { path: "/api/tunnels", access: "token", methods: { GET: () => json(subject.tunnels()) } },
    {
      path: "/api/tunnels/:name",
      access: "token",
      methods: {
        DELETE: ({ params: { name = "" } }) =>
          subject.closeTunnel(name) ? empty() : problem("not_found", "there is no tunnel of this name"),
      },
    },
  ];
}

function debugRoutes(subject: AdminSubject): readonly Route[] {
  return [
    { path: "/debug/resources", access: "token", methods: { GET: () => resources(subject) } },
    { path: "/debug/process", access: "token", methods: { GET: () => json(processFacts(subject)) } },
    { path: "/debug/gc", access: "token", methods: { POST: async () => json(await subject.collectGarbage()) } },
    { path: "/debug/leaks", access: "token", methods: { GET: (request) => leaks(subject, request) } },
    {
      path: "/debug/heap/diff",
      access: "token",
      methods: { POST: () => problem("not_implemented", "comparing heap snapshots comes with a later version") },
    },
  ];
}

function logRoutes(subject: AdminSubject): readonly Route[] {
  const { log } = subject;
  const noLog = (): Answer => problem("not_implemented", "this process writes no log");
  return [
    {
      path: "/api/log-level",
      access: "token",
      methods: {
        GET: () => (log ? json({ level: log.level }) : noLog()),
        PUT: (request) => (log ? setLevel(log, request) : noLog()),
      },
    },
    {
      path: "/debug/logs",
      access: "token",
      methods: {
        GET: () =>
          log
            ? text(
                log.tail
                  .lines()
                  .map((line) => `${line}\n`)
                  .join(""),
              )
            : noLog(),
      },
    },
  ];
}

function readiness(subject: AdminSubject): Answer {
  const reason = subject.unreadiness();
  return reason === undefined ? text("ok\n") : problem("not_ready", reason);
}

async function metrics(subject: AdminSubject, request: AdminRequest): Promise<Answer> {
  const format = negotiateFormat(request.headers.accept);
  const body = await subject.metrics(format);
  return { status: 200, type: expositionTypes[format], body, headers: { Vary: "Accept" } };
}

async function resources(subject: AdminSubject): Promise<Answer> {
  await subject.freshDescriptors?.();
  return json(subject.resources());
}

async function leaks(subject: AdminSubject, request: AdminRequest): Promise<Answer> {
  if (!subject.leaks) return problem("not_implemented", "leak reports come with a later version");
  const reports = await subject.leaks();
  const forPeople = (request.headers.accept ?? "").trimStart().startsWith("text/plain");
  return forPeople ? text(reports.text) : json(reports.json);
}

async function setLevel(log: NonNullable<AdminSubject["log"]>, request: AdminRequest): Promise<Answer> {
  const body = await request.body();
  if ("refusal" in body) return body.refusal;
  const level = body.fields.get("level");
  if (!isLogLevel(level)) return problem("bad_request", `level is one of ${logLevels.join(", ")}`);
  log.level = level;
  return json({ level });
}
