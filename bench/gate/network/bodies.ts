// What the origin answers and what visitors therefore expect: bodies that follow from the Host and the path, so that an
// answer of the wrong tunnel, a cut one or one with foreign bytes is noticed.

import { createHash } from "node:crypto";

/** Size of the answers to `/large/...`, in bytes: several windows of one stream. */
export const largeBytes: number = 512 * 1024;
/** Bytes that come of answers to `/huge/...`, which never end: more than the kernel's buffers take for a visitor who does not read. */
export const hugeBytes: number = 8 * 1024 * 1024;
/** The path that is answered with {@link fixedBody}, whatever the Host. */
export const fixedPath = "/fixed";
/** Always the same, for load generators that compare with one body. */
export const fixedBody: string = "caisson ".repeat(14);

/** The answer to a small request. */
export function smallBody(host: string, path: string): string {
  return `${host} ${path}`;
}

/** The answer to `/large/...`. */
export function largeBody(path: string): Buffer {
  return Buffer.alloc(largeBytes, `${path}\n`);
}

/** What comes of an answer to `/huge/...`. */
export function hugeBody(): Buffer {
  return Buffer.alloc(hugeBytes, "huge\n");
}

/** SHA-256 of {@link largeBody}, in hex. */
export function largeDigest(path: string): string {
  return createHash("sha256").update(largeBody(path)).digest("hex");
}
