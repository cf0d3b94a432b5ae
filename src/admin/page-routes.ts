// The live page itself: its document and its files. They tell nothing of the process, so they are served before anybody has
// signed in; everything that the page shows comes from endpoints that ask for the cookie.

import type { Answer } from "./answer.ts";
import { problem } from "./answer.ts";
import type { PageFile, PageFiles } from "./page-files.ts";
import { readPageFiles } from "./page-files.ts";
import type { AdminRequest, Route } from "./router.ts";

/** Only own files run, style and load; nothing is inline, and text never becomes markup. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const documentName = "index.html";
/** The names of all other files change with their content. */
const forEver = "public, max-age=31536000, immutable";

/** The routes. `read` is called once, when the page is first asked for. */
export function pageRoutes(read: () => Promise<PageFiles> = readPageFiles): readonly Route[] {
  let reading: Promise<PageFiles> | undefined;
  const files = async (): Promise<PageFiles> => {
    reading ??= read();
    try {
      return await reading;
    } catch (error) {
      reading = undefined;
      throw error;
    }
  };
  return [
    { path: "/", access: "page", methods: { GET: async (request) => document(await files(), request) } },
    { path: "/page/:file", access: "page", methods: { GET: async (request) => asset(await files(), request) } },
  ];
}

function document(files: PageFiles, request: AdminRequest): Answer {
  const file = files.get(documentName);
  if (!file) return problem("not_implemented", "this copy was built without its live page; run: npm run build");
  return answer(file, { request, headers: { "Content-Security-Policy": pagePolicy } });
}

function asset(files: PageFiles, request: AdminRequest): Answer {
  const name = request.params["file"] ?? "";
  const file = name === documentName ? undefined : files.get(name);
  return file
    ? answer(file, { request, headers: { "Cache-Control": forEver } })
    : problem("not_found", "there is nothing here");
}

function answer(
  file: PageFile,
  how: { readonly request: AdminRequest; readonly headers: Readonly<Record<string, string>> },
): Answer {
  const takesGzip = /\bgzip\b/u.test(how.request.headers["accept-encoding"]?.toString() ?? "");
  return {
    status: 200,
    type: file.type,
    body: takesGzip ? file.gzipped : file.bytes,
    headers: { ...how.headers, Vary: "Accept-Encoding", ...(takesGzip && { "Content-Encoding": "gzip" }) },
  };
}
