// The process behind checking-target.ts. It knows four requests: `GET /` (200), `GET /bytes/N` (so much of the pattern),
// `POST /check` (422 unless the body is the pattern) and `GET /echo/N` (a WebSocket that sends each message of N bytes back).

import type { Socket } from "node:net";
import { createServer } from "node:net";
import { portOf } from "../gate/network/port-of.ts";
import { acceptKeyOf, messageFrame } from "./message-frames.ts";
import { PatternCheck, patternStart } from "./pattern.ts";
import { writePattern } from "./write-pattern.ts";

const headEnd = "\r\n\r\n";
/** More than any proxy sends. */
const maxHeadBytes = 65_536;

/** One connection. What arrives is for `#take`, which is the state that it is in. */
class Connection {
  readonly #socket: Socket;
  #take: (chunk: Buffer) => void;
  #head = "";

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#take = this.#takeHead;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", () => socket.destroy());
  }

  #takeHead(chunk: Buffer): void {
    // A head is latin1; what follows it comes out of the chunk again, as bytes.
    const before = this.#head.length;
    this.#head += chunk.toString("latin1");
    const end = this.#head.indexOf(headEnd);
    if (end < 0) {
      if (this.#head.length > maxHeadBytes) this.#socket.destroy();
      return;
    }
    const head = this.#head.slice(0, end);
    const rest = chunk.subarray(end + headEnd.length - before);
    this.#head = "";
    this.#answer(head, rest);
  }

  #answer(head: string, rest: Buffer): void {
    const [, method = "", path = ""] = /^(\S+) (\S+) /u.exec(head) ?? [];
    const [, kind = "", number = "0"] = /^\/(bytes|echo|check)?(?:\/(\d+))?$/u.exec(path) ?? ["", "none"];
    if (method === "POST" && kind === "check") this.#check(Number(fieldOf(head, "content-length")), rest);
    else if (method === "GET" && kind === "bytes") this.#send(Number(number));
    else if (method === "GET" && kind === "echo") this.#echo(Number(number), fieldOf(head, "sec-websocket-key"));
    else this.#status(kind === "" ? "200 OK" : "404 Not Found");
    if (kind !== "check" && rest.length > 0) this.#take(rest);
  }

  #status(status: string): void {
    this.#socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
  }

  /** Compares a request body with the pattern. */
  #check(expected: number, rest: Buffer): void {
    const check = new PatternCheck();
    this.#take = (chunk) => {
      check.add(chunk);
      if (check.bytes < expected) return;
      this.#take = this.#takeHead;
      this.#status(check.right && check.bytes === expected ? "200 OK" : "422 Unprocessable Content");
    };
    this.#take(rest);
  }

  /** Answers with so many bytes, as fast as they are taken. */
  #send(bytes: number): void {
    const socket = this.#socket;
    socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ${bytes}\r\n\r\n`);
    writePattern(socket, bytes);
  }

  /** Becomes a WebSocket; the pieces of a message are counted, compared, and sent back as one. */
  #echo(bytes: number, key: string): void {
    const fields = ["Upgrade: websocket", "Connection: Upgrade", `Sec-WebSocket-Accept: ${acceptKeyOf(key)}`];
    this.#socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields.join("\r\n")}${headEnd}`);
    const expected = messageFrame(patternStart(bytes), "masked");
    const answer = messageFrame(patternStart(bytes), "plain");
    let at = 0;
    this.#take = (chunk) => {
      for (let from = 0; from < chunk.length;) {
        const length = Math.min(chunk.length - from, expected.length - at);
        if (expected.compare(chunk, from, from + length, at, at + length) !== 0) {
          this.#socket.destroy();
          return;
        }
        from += length;
        at += length;
        if (at < expected.length) continue;
        at = 0;
        this.#socket.write(answer);
      }
    };
  }
}

function fieldOf(head: string, name: string): string {
  return new RegExp(`\\r\\n${name}:[ \\t]*([^\\r]*)`, "iu").exec(head)?.[1] ?? "";
}

const server = createServer({ noDelay: true }, (socket) => void new Connection(socket));
server.listen(0, "127.0.0.1", 4096, () => process.stdout.write(`listening on ${portOf(server)}\n`));
