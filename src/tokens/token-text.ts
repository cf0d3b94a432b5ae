// What a token looks like, and what is kept of it. A token is shown once, to whoever makes it; afterwards only its SHA-256
// is known, and an id that is part of that digest, so that no part of the token itself ever stands in a file or a log.

import { createHash, randomBytes } from "node:crypto";

/** What every token begins with, so that people and secret scanners know one when they see it. */
export const tokenPrefix = "csn_";

/** 256 random bits in base64url, and 6 characters that are right only if nothing was cut off or mistyped. */
const form = /^csn_([A-Za-z0-9_-]{43})([A-Za-z0-9_-]{6})$/u;

/** Length of a token's id, in hexadecimal digits. */
const idLength = 12;

/** A new token of 256 random bits. */
export function newToken(): string {
  const secret = randomBytes(32).toString("base64url");
  return `${tokenPrefix}${secret}${checksumOf(secret)}`;
}

/** Whether the text has the form and length of a token, but is none: a character of it is wrong. */
export function isMistyped(text: string): boolean {
  const [, secret = "", checksum] = form.exec(text) ?? [];
  return secret !== "" && checksum !== checksumOf(secret);
}

/** The SHA-256 of whatever is presented as a token. */
export function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** The name of a token for people: the first 12 hexadecimal digits of its digest. */
export function idOf(digest: Buffer): string {
  return digest.toString("hex").slice(0, idLength);
}

/** Finds slips of the keyboard; it is no secret and protects nothing. */
function checksumOf(secret: string): string {
  return createHash("sha256").update(`${tokenPrefix}${secret}`).digest("base64url").slice(0, 6);
}
