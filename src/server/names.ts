// Public names: which are valid, how random ones are made, and the keys that give a name back to its owner.
// A key is derived from the server's secret and the name, so nothing has to be remembered about released names.

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const base32 = "abcdefghijklmnopqrstuvwxyz234567";
/** Length of a random name: 16 letters of base32, 80 bits. */
export const randomNameLength = 16;
const randomNamePattern = /^[a-z2-7]{16}$/u;
const labelPattern = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/u;

/** Names that would mislead people or collide with hosts that browsers and mail systems treat specially. */
const reservedNames: ReadonlySet<string> = new Set([
  "admin",
  "administrator",
  "api",
  "autoconfig",
  "autodiscover",
  "broadcasthost",
  "caisson",
  "ftp",
  "hostmaster",
  "imap",
  "isatap",
  "localdomain",
  "localhost",
  "mail",
  "mta-sts",
  "ns1",
  "ns2",
  "pop",
  "postmaster",
  "root",
  "security",
  "smtp",
  "ssladmin",
  "sysadmin",
  "webmaster",
  "wpad",
  "www",
]);

/** Why a wanted name cannot be had by anyone. */
export type NameProblem = "name_invalid" | "name_reserved";

/** Checks the form of a wanted name: one lower-case DNS label without edge hyphens or `xn--`, and not reserved. */
export function nameProblem(name: string): NameProblem | undefined {
  if (!labelPattern.test(name) || name.startsWith("xn--")) return "name_invalid";
  return reservedNames.has(name) ? "name_reserved" : undefined;
}

/** Whether the name has the form of a random one; such names are given only to the holder of their key. */
export function looksRandom(name: string): boolean {
  return randomNamePattern.test(name);
}

/** A fresh random name. */
export function randomName(): string {
  let name = "";
  for (const byte of randomBytes(randomNameLength)) name += base32.charAt(byte & 31);
  return name;
}

/** Makes and checks resume keys. */
export class ResumeKeys {
  readonly #secret: Buffer;

  /** `secret`: at least 16 bytes in production; the same secret after a restart keeps all keys valid. */
  constructor(secret: Buffer) {
    this.#secret = secret;
  }

  /** The key of a name: 43 characters of base64url. With a token it is good for the holder of that token only. */
  keyOf(name: string, tokenId: string | undefined): string {
    return this.#digest(name, tokenId).toString("base64url");
  }

  /** Whether `key` is the key of a name, in constant time. */
  matches(key: string, of: { readonly name: string; readonly tokenId: string | undefined }): boolean {
    const given = Buffer.from(key, "base64url");
    const expected = this.#digest(of.name, of.tokenId);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  #digest(name: string, tokenId: string | undefined): Buffer {
    // A name has no space in it, so that no two pairs are the same text.
    const text = tokenId === undefined ? name : `${name} ${tokenId}`;
    return createHmac("sha256", this.#secret).update(text).digest();
  }
}
