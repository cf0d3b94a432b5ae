// The process's two output streams: data on stdout, the rest on stderr. A reader that goes away ends neither a server
// nor a tunnel: what it will not read any more is dropped. It never prints text from elsewhere unescaped. What is said on
// stdout in one turn of the event loop leaves by one write, before anything on stderr: a busy client says a line per request.

import type { Environment } from "./environment.ts";
import { jsonLine, safeText } from "./safe-text.ts";

/** What is needed of process.stdout and process.stderr. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): boolean;
  on(event: "error" | "resize", listener: () => void): unknown;
  off(event: "error" | "resize", listener: () => void): unknown;
}

/** What waits for the end of the turn, in UTF-16 units; more leaves at once. */
const mostPending = 64 * 1024;

/** The two streams of one process. */
export class Output {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Whether stdout can show a panel that is redrawn in place. */
  readonly interactive: boolean;
  /** Whether stdout shows colours. */
  readonly colours: boolean;
  #pending = "";

  /** Made once per process: it listens for stream errors for as long as the process lives. */
  constructor(streams: { readonly stdout: OutputStream; readonly stderr: OutputStream; readonly env: Environment }) {
    this.stdout = streams.stdout;
    this.stderr = streams.stderr;
    this.interactive = streams.stdout.isTTY === true && streams.env["TERM"] !== "dumb";
    this.colours = this.interactive && (streams.env["NO_COLOR"] ?? "") === "";
    this.stdout.on("error", dropped);
    this.stderr.on("error", dropped);
  }

  /** One line for people on stdout. */
  line(text: string): void {
    this.#say(`${safeText(text)}\n`);
  }

  /** One line for people on stderr. */
  note(text: string): void {
    this.flush();
    this.stderr.write(`${safeText(text)}\n`);
  }

  /** One JSON event on stdout. */
  event(event: object): void {
    this.#say(`${jsonLine(event)}\n`);
  }

  /** Text that is made here, such as help and panels, as it is. */
  raw(text: string): void {
    this.flush();
    this.stdout.write(text);
  }

  /** Writes what waits; to be called before the process ends in the middle of a turn. */
  flush(): void {
    if (this.#pending === "") return;
    const text = this.#pending;
    this.#pending = "";
    this.stdout.write(text);
  }

  #say(text: string): void {
    if (this.#pending === "") setImmediate(flushOutput, this);
    this.#pending += text;
    if (this.#pending.length > mostPending) this.flush();
  }
}

function flushOutput(output: Output): void {
  output.flush();
}

/** A closed pipe or a terminal that hung up: there is nobody left to tell. */
function dropped(): void {}
