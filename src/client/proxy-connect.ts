// One way through an HTTP proxy: CONNECT, its answer, and then a socket as if there were no proxy. It ends exactly once,
// reads at most one bounded head, and destroys what it opened when it is cancelled or refused.

import type { Socket } from "node:net";
import { connect, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { CaissonError, messageOf } from "../lifecycle/errors.ts";
import { ignoreError } from "../lifecycle/listener.ts";
import type { HttpProxy } from "./http-proxy.ts";

/** The most that a proxy may answer before the connection is through, in bytes. */
const maxAnswerBytes: number = 16 * 1024;

/** Options of {@link ProxyConnect}. */
export interface ProxyConnectOptions {
  readonly proxy: HttpProxy;
  /** Where to; without brackets. */
  readonly host: string;
  readonly port: number;
  /** Called once, in a later turn, unless cancelled. The socket is the callee's. */
  readonly onEnd: (error: Error | undefined, socket: Socket | undefined) => void;
}

/** One attempt; it starts in the constructor. */
export class ProxyConnect {
  readonly #options: ProxyConnectOptions;
  readonly #socket: Socket;
  #answer: Buffer = Buffer.alloc(0);
  #over = false;

  constructor(options: ProxyConnectOptions) {
    this.#options = options;
    const { host, port, tls } = options.proxy;
    const servername = isIP(host) === 0 ? { servername: host } : {};
    this.#socket = tls ? connectTls({ host, port, ...servername }) : connect({ host, port, autoSelectFamily: true });
    this.#socket.once(tls ? "secureConnect" : "connect", this.#onConnect);
    this.#socket.on("data", this.#onData).on("error", this.#onError).on("close", this.#onClose);
  }

  /** Gives up. Idempotent; does nothing once the connection is through. */
  cancel(): void {
    if (this.#over) return;
    this.#letGo();
    this.#socket.destroy();
  }

  readonly #onConnect = (): void => {
    const { proxy, host, port } = this.#options;
    const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    const credentials = proxy.authorization === undefined ? "" : `Proxy-Authorization: ${proxy.authorization}\r\n`;
    this.#socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials}\r\n`);
  };

  readonly #onData = (chunk: Buffer): void => {
    this.#answer = Buffer.concat([this.#answer, chunk]);
    const end = this.#answer.indexOf("\r\n\r\n");
    if (end < 0) {
      if (this.#answer.length > maxAnswerBytes) this.#fail("answered with something that is no HTTP");
      return;
    }
    const status = /^HTTP\/1\.[01] (\d{3})(?: |\r)/u.exec(this.#answer.toString("latin1", 0, end + 2))?.[1];
    if (status === undefined) this.#fail("answered with something that is no HTTP");
    else if (!status.startsWith("2")) this.#fail(refusalOf(status, this.#options.proxy));
    // Neither a WebSocket server nor a TLS server speaks first.
    else if (this.#answer.length > end + 4) this.#fail("sent bytes that nobody asked for");
    else this.#succeed();
  };

  readonly #onError = (error: Error): void => this.#fail(`cannot be reached: ${messageOf(error)}`);

  readonly #onClose = (): void => this.#fail("closed the connection");

  #succeed(): void {
    const socket = this.#socket;
    this.#letGo();
    this.#options.onEnd(undefined, socket);
  }

  #fail(how: string): void {
    if (this.#over) return;
    this.#letGo();
    this.#socket.destroy();
    this.#options.onEnd(new CaissonError("E_CONNECT", `the proxy ${this.#options.proxy.text} ${how}`), undefined);
  }

  #letGo(): void {
    this.#over = true;
    const socket = this.#socket;
    socket.off("connect", this.#onConnect).off("secureConnect", this.#onConnect).off("data", this.#onData);
    socket.off("error", this.#onError).off("close", this.#onClose).on("error", ignoreError);
  }
}

function refusalOf(status: string, proxy: HttpProxy): string {
  // Some proxies say 401 where they mean 407.
  if (status !== "407" && status !== "401") return `refused the connection with ${status}`;
  return proxy.authorization === undefined
    ? "wants a user name and a password: HTTPS_PROXY=http://user:password@host:port"
    : "refused the user name or the password";
}
