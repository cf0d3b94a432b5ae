// Reads the body of a request as JSON, within bounds. What is too large is not read to its end.

import type { IncomingMessage } from "node:http";
import type { Answer } from "./answer.ts";
import { problem } from "./answer.ts";

/** The largest body in bytes. */
export const maxBodyBytes: number = 16 * 1024;

/** The fields of a JSON object. A map, so that no field can pose as a method. */
export type JsonFields = ReadonlyMap<string, unknown>;

/** A body that was read, or the answer that refuses it. */
export type BodyResult = { readonly fields: JsonFields } | { readonly refusal: Answer };

/** The fields of the JSON object that the body holds; none for an empty body. Never rejects: a peer that left is a refusal. */
export async function readJsonBody(request: IncomingMessage): Promise<BodyResult> {
  const body = await readBytes(request);
  if (body === "too_large") {
    const message = `a body has at most ${maxBodyBytes} bytes`;
    return { refusal: problem("body_too_large", message, { Connection: "close" }) };
  }
  if (body === "cut") return { refusal: problem("bad_request", "the body ended too early") };
  if (body.length === 0) return { fields: new Map() };
  if (!/^application\/json\s*(?:;|$)/iu.test(request.headers["content-type"] ?? "")) {
    return { refusal: problem("unsupported_type", "send JSON, with Content-Type: application/json") };
  }
  const fields = fieldsOf(body.toString("utf8"));
  return fields ? { fields } : { refusal: problem("bad_request", "the body is no JSON object") };
}

function fieldsOf(text: string): JsonFields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return new Map(Object.entries(value));
  } catch {
    return undefined;
  }
}

/** By listeners rather than by iteration: leaving an iteration early would destroy the socket before it was answered. */
function readBytes(request: IncomingMessage): Promise<Buffer | "too_large" | "cut"> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (result: Buffer | "too_large" | "cut"): void => {
      request.off("data", onData).off("end", onEnd).off("close", onClose).off("error", onClose);
      resolve(result);
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes <= maxBodyBytes) chunks.push(chunk);
      else settle("too_large");
    };
    const onEnd = (): void => settle(Buffer.concat(chunks));
    const onClose = (): void => settle("cut");
    request.on("data", onData).on("end", onEnd).on("close", onClose).on("error", onClose);
  });
}
