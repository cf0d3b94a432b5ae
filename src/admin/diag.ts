// Collects what a bug report needs from a running role into one archive. Only what is listed here goes in, and all of it
// passes the redactor: no heap snapshot, no environment, no argument, no header of a request.

import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { messageOf, unreachable } from "../lifecycle/errors.ts";
import type { Redactor } from "../observe/redactor.ts";
import type { AdminQuestion, AdminReply } from "./admin-client.ts";
import type { TarFile } from "./tar.ts";
import { tarOf } from "./tar.ts";

/** What {@link collectDiag} needs. */
export interface DiagOptions {
  /** Asks the private listener of the role; an AdminClient, or a stand-in. */
  readonly ask: (path: string, question?: AdminQuestion) => Promise<AdminReply>;
  /** Told of the admin token and of every other secret that the caller knows. */
  readonly redactor: Redactor;
  /** Facts that the caller adds to the summary, such as its own version. They pass the redactor too. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** The time in the archive's name. Default now. */
  readonly now?: Date;
}

/** One part of an archive. */
export interface DiagPart {
  readonly file: string;
  /** Why it is not in the archive, in words; undefined if it is. */
  readonly problem: string | undefined;
}

/** A finished archive. */
export interface DiagArchive {
  /** A file name for it, such as `caisson-diag-20261122T190500Z.tar.gz`. */
  readonly name: string;
  readonly bytes: Buffer;
  readonly parts: readonly DiagPart[];
}

type Form = "json" | "lines" | "text";

const parts: readonly {
  readonly file: string;
  readonly path: string;
  readonly form: Form;
  readonly accept?: string;
}[] = [
  { file: "live.txt", path: "/livez", form: "text" },
  { file: "ready.txt", path: "/readyz", form: "text" },
  { file: "process.json", path: "/debug/process", form: "json" },
  { file: "resources.json", path: "/debug/resources", form: "json" },
  { file: "tunnels.json", path: "/api/tunnels", form: "json" },
  { file: "leaks.json", path: "/debug/leaks", form: "json" },
  { file: "leaks.txt", path: "/debug/leaks", form: "text", accept: "text/plain" },
  { file: "snapshots.json", path: "/debug/heap/snapshots", form: "json" },
  { file: "log.jsonl", path: "/debug/logs", form: "lines" },
  { file: "metrics.txt", path: "/metrics", form: "text", accept: "application/openmetrics-text" },
];

const compress = promisify<Buffer, Buffer>(gzip);

/** Collects the archive. Parts that the role does not have are listed with the reason; never rejects for one of them. */
export async function collectDiag(options: DiagOptions): Promise<DiagArchive> {
  const now = options.now ?? new Date();
  const folder = `caisson-diag-${now.toISOString().replaceAll(/[-:]|\.\d+/gu, "")}`;
  const files: TarFile[] = [];
  const collected: DiagPart[] = [];
  for (const part of parts) {
    const result = await fetchPart(options, part);
    collected.push({ file: part.file, problem: result.problem });
    if (result.text !== undefined) files.push({ name: `${folder}/${part.file}`, bytes: Buffer.from(result.text) });
  }
  const summary = { collectedAt: now.toISOString(), parts: collected, ...options.facts };
  files.unshift({ name: `${folder}/diag.json`, bytes: Buffer.from(jsonText(options.redactor.value(summary))) });
  return { name: `${folder}.tar.gz`, bytes: await compress(tarOf(files, now)), parts: collected };
}

async function fetchPart(
  { ask, redactor }: DiagOptions,
  part: (typeof parts)[number],
): Promise<{ readonly text?: string; readonly problem: string | undefined }> {
  try {
    const reply = await ask(part.path, part.accept === undefined ? {} : { accept: part.accept });
    const text = cleaned(reply.body.toString("utf8"), { form: part.form, redactor });
    if (reply.status === 200 || part.path === "/readyz") return { text, problem: undefined };
    return { problem: `${reply.status}: ${messageIn(text)}` };
  } catch (error) {
    return { problem: redactor.text(messageOf(error)) };
  }
}

/** The sentence of an error answer, or the whole of it. */
function messageIn(text: string): string {
  const value = parse(text);
  const message = typeof value === "object" && value !== null && "message" in value ? value.message : undefined;
  return typeof message === "string" ? message : text.trim();
}

function cleaned(text: string, how: { readonly form: Form; readonly redactor: Redactor }): string {
  const { form, redactor } = how;
  switch (form) {
    case "json": {
      const value = parse(text);
      return value === undefined ? redactor.text(text) : jsonText(redactor.value(value));
    }
    case "lines":
      return text
        .split("\n")
        .map((line) => (line === "" ? "" : cleanedLine(line, redactor)))
        .join("\n");
    case "text":
      return redactor.text(text);
    default:
      return unreachable(form);
  }
}

function cleanedLine(line: string, redactor: Redactor): string {
  const value = parse(line);
  return value === undefined ? redactor.text(line) : JSON.stringify(redactor.value(value));
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
