// The files of the live page, as the build left them beside this code: read once, when the first page is asked for, and kept
// in memory with their compressed form. It serves these names and no others; no path is ever made from a request.

import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { systemCodeOf } from "../lifecycle/errors.ts";

/** One file. */
export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** The same, compressed. */
  readonly gzipped: Buffer;
}

/** Files by name. */
export type PageFiles = ReadonlyMap<string, PageFile>;

/** Where the build puts them. */
export const pageFolder: URL = new URL("../page/site/", import.meta.url);

const types: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
};
const compress = promisify<Buffer, Buffer>(gzip);

/** Reads all of them; none if the page was not built. */
export async function readPageFiles(folder: URL = pageFolder): Promise<PageFiles> {
  const files = new Map<string, PageFile>();
  for (const name of await namesIn(folder)) {
    const type = types[name.slice(name.lastIndexOf(".") + 1)];
    if (type === undefined) continue;
    const bytes = await readFile(new URL(name, folder));
    files.set(name, { type, bytes, gzipped: await compress(bytes) });
  }
  return files;
}

async function namesIn(folder: URL): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return [];
    throw error;
  }
}
