// Puts an answer on the wire, once, with the fields that every answer has.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer } from "./answer.ts";
import { guardHeaders } from "./answer.ts";

/** Sends it. Resolves when the response has taken it, or when the peer has left; rejects if the body cannot be made. */
export async function sendAnswer(
  request: IncomingMessage,
  sent: { readonly response: ServerResponse; readonly answer: Answer },
): Promise<void> {
  const { response, answer } = sent;
  if (response.destroyed) {
    await answer.discard?.();
    return;
  }
  const { body } = answer;
  // A body that nobody has read would be taken for the next request's head.
  const unread = request.complete ? {} : { Connection: "close" };
  const length = typeof body === "function" ? {} : lengthOf(answer, body);
  response.writeHead(answer.status, {
    ...guardHeaders,
    "Content-Type": answer.type,
    ...length,
    ...unread,
    ...answer.headers,
  });
  if (typeof body !== "function") {
    await written(response, body);
    return;
  }
  try {
    await body(response);
  } catch (error) {
    // The head has gone: only a cut connection tells the peer that this is not all.
    response.destroy();
    if (!(error instanceof Error && isPeerGone(error))) throw error;
  }
}

/**
 * Ends the response only once its body has left: a server that closes takes an ended response for an idle connection, and
 * would cut what is still on its way.
 */
function written(response: ServerResponse, body: string | Buffer): Promise<void> {
  return new Promise((resolve) => {
    response.once("close", resolve);
    if (body.length === 0) response.end();
    else response.write(body, () => response.end());
  });
}

/** 204 has no body and says so by having no length. */
function lengthOf(answer: Answer, body: string | Buffer): Readonly<Record<string, number>> {
  return answer.status === 204 ? {} : { "Content-Length": Buffer.byteLength(body) };
}

function isPeerGone(error: Error): boolean {
  const code = "code" in error ? error.code : undefined;
  return (
    code === "ERR_STREAM_PREMATURE_CLOSE" || code === "ECONNRESET" || code === "EPIPE" || error.name === "AbortError"
  );
}
