// What the adapters of peers share: where programs are looked for, folders of configuration, and starting a pair.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Contestant } from "../contestants/contestant.ts";
import type { AsyncResources } from "../harness/async-resources.ts";
import { programOf } from "../harness/find-program.ts";
import type { ProgramOptions } from "../harness/program.ts";
import { Program } from "../harness/program.ts";

/** A peer of Caisson. */
export interface Peer extends Contestant {
  /** Whether it knows requests, or only passes on bytes. */
  readonly proxies: "HTTP" | "bytes";
  /** The largest body that it carries both ways, in bytes; default: any. */
  readonly mostBodyBytes?: number;
  /** What it says of its own version; undefined if it is missing or says nothing. */
  readonly version: () => string | undefined;
}

/** A program that is there, or why it is not. */
export type Sought = { readonly file: string } | { readonly missing: string };

/** Looks for a program on PATH, or where the environment variable says. */
export function sought(variable: string, name: string): Sought {
  const file = programOf(variable, name);
  return file === undefined ? { missing: `no ${name} on PATH or in ${variable}` } : { file };
}

/** Looks for a file in the folder that an environment variable names. */
export function soughtIn(variable: string, path: string): Sought {
  const folder = process.env[variable] ?? "";
  if (folder === "") return { missing: `${variable} is not set` };
  const file = join(folder, path);
  return existsSync(file) ? { file } : { missing: `${variable} holds no ${path}` };
}

/** Why one of them is missing; undefined if all are there. */
export function missingOf(...all: readonly Sought[]): string | undefined {
  return all.flatMap((one) => ("missing" in one ? [one.missing] : []))[0];
}

/** The path of one that is there. */
export function fileOf(one: Sought): string {
  return "file" in one ? one.file : "";
}

/** Writes files of configuration to a folder that goes with `resources`; gives the folder. */
export function configured(resources: AsyncResources, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "caisson-bench-peer-"));
  resources.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** Starts a program whose output nobody reads, as that of a service without a journal. */
export function quietly(resources: AsyncResources, options: Omit<ProgramOptions, "readsOutput">): Program {
  return resources.own(new Program({ ...options, readsOutput: false }));
}

/** The same peer, missing where bodies of `bytes` are carried if it cannot. */
export function carrying(peer: Peer, bytes: number): Peer {
  const { mostBodyBytes = Number.MAX_SAFE_INTEGER } = peer;
  if (bytes <= mostBodyBytes) return peer;
  return { ...peer, missing: peer.missing ?? `it carries bodies of at most ${mostBodyBytes} bytes` };
}
