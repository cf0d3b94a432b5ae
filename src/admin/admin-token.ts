// The admin token: read from its file, or made and written there for its owner's eyes only.

import { randomBytes } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { CaissonError, messageOf, systemCodeOf } from "../lifecycle/errors.ts";
import { writeNewSecret } from "../tokens/secret-file.ts";

/** 128 bits in base64; shorter tokens could be guessed. */
const minLength = 22;
const maxLength = 512;

/** A new token: 256 random bits. */
export function newAdminToken(): string {
  return `csa_${randomBytes(32).toString("base64url")}`;
}

/**
 * The token in `file`; if there is no such file, a new token, written there with mode 0600 (its folder with 0700).
 * Throws E_CONFIG if the file is others' to read, holds no token or one that could be guessed.
 */
export async function loadAdminToken(file: string): Promise<string> {
  try {
    return (await read(file)) ?? (await make(file));
  } catch (error) {
    if (error instanceof CaissonError) throw error;
    throw new CaissonError("E_CONFIG", `cannot use the admin token file ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function make(file: string): Promise<string> {
  const token = newAdminToken();
  if (await writeNewSecret(file, token)) return token;
  const others = await read(file);
  if (others === undefined)
    throw new CaissonError("E_CONFIG", `the admin token file ${file} comes and goes; try again`);
  return others;
}

/** Undefined if there is no such file. */
async function read(file: string): Promise<string | undefined> {
  const handle = await openIfThere(file);
  if (handle === undefined) return undefined;
  try {
    const status = await handle.stat();
    // Windows has no such modes; there the profile folder's own rules hold.
    if (process.platform !== "win32" && (status.mode & 0o077) !== 0) {
      throw new CaissonError("E_CONFIG", `the admin token file ${file} can be read by others; run: chmod 600 ${file}`);
    }
    const token = (await handle.readFile("utf8")).trim();
    if (token.length < minLength || token.length > maxLength || !/^[\x21-\x7e]+$/u.test(token)) {
      throw new CaissonError(
        "E_CONFIG",
        `the admin token file ${file} must hold one line of ${minLength} to ${maxLength} printable characters; delete it to get a new one`,
      );
    }
    return token;
  } finally {
    await handle.close();
  }
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, "r");
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
