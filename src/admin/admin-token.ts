// The admin token: read from its file, or made and written there for its owner's eyes only.

import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { CaissonError, messageOf, systemCodeOf } from "../lifecycle/errors.ts";

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
    return (await create(file)) ?? (await read(file));
  } catch (error) {
    if (error instanceof CaissonError) throw error;
    throw new CaissonError("E_CONFIG", `cannot use the admin token file ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function create(file: string): Promise<string | undefined> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  } catch (error) {
    if (systemCodeOf(error) === "EEXIST") return undefined;
    throw error;
  }
  try {
    const token = newAdminToken();
    await handle.writeFile(`${token}\n`);
    return token;
  } finally {
    await handle.close();
  }
}

async function read(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY);
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
