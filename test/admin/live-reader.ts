// A live page as the listener sees it: a request whose answer goes on.

import type { IncomingMessage } from "node:http";
import { request } from "node:http";
import type { LiveFrame } from "../../src/admin/live-frame.ts";
import { EventSplitter } from "../../src/page/event-splitter.ts";

/** An open stream. */
export class LiveReader {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly frames: LiveFrame[] = [];
  /** The text of an answer that is no stream. */
  text = "";
  ended = false;
  readonly #response: IncomingMessage;

  private constructor(response: IncomingMessage) {
    const splitter = new EventSplitter();
    this.#response = response;
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    response.setEncoding("utf8");
    response.on("data", (text: string) => {
      if (this.status === 200) for (const data of splitter.add(text)) this.frames.push(JSON.parse(data) as LiveFrame);
      else this.text += text;
    });
    response.on("close", () => {
      this.ended = true;
    });
    response.on("error", () => undefined);
  }

  /** Asks for the stream; resolves with the head of the answer. */
  static open(port: number, headers: Readonly<Record<string, string>>): Promise<LiveReader> {
    return new Promise((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port, path: "/api/live", agent: false, headers });
      sent.on("error", reject);
      sent.on("response", (response) => resolve(new LiveReader(response)));
      sent.end();
    });
  }

  /** Leaves. */
  close(): void {
    this.#response.destroy();
  }
}
