// One connection to a target: its socket, the reader of its responses, the outlet for its requests, and the one deadline
// that all of its phases share. Used by one exchange or pipe at a time. It makes no connection anywhere else than to its
// pool's target, and reports itself closed only when the operating system's socket is.

import { performance } from "node:perf_hooks";
import type { Socket } from "node:net";
import type { Deadline } from "../lifecycle/deadlines.ts";
import { CaissonError } from "../lifecycle/errors.ts";
import type { TraceContext } from "../lifecycle/events.ts";
import type { Resource } from "../lifecycle/resource.ts";
import { Pipe } from "../mux/pipe.ts";
import { leaveBytes, takeBytes } from "../mux/socket-intake.ts";
import { SocketOutlet } from "../mux/socket-outlet.ts";
import type { Stream } from "../mux/stream.ts";
import type { ClientTunnel } from "./client-tunnel.ts";
import type { LocalPool } from "./local-pool.ts";
import { ResponseReader } from "./response-reader.ts";
import type { Target } from "./target.ts";

/** Silence on a pipe after which TCP asks whether the target still lives, in milliseconds. */
const keepAliveProbeMs = 30_000;

/** Whoever uses a connection. Nothing is called any more after {@link onLost} or once the user let go of it. */
export interface ConnectionUser {
  /** TCP, and TLS if the target wants it, stand. Not called for a connection that stood before. */
  onConnected(): void;
  /** Bytes from the target, a view of a buffer of their own. */
  onBytes(chunk: Buffer): void;
  /** The target has ended its side in good order. */
  onEnded(): void;
  /** The connection failed, or could not be made; it is closed. */
  onLost(error: unknown): void;
  /** The deadline that the user had armed has passed. */
  onDeadline(): void;
}

/** How a connection becomes a pipe. */
export interface PipeUpgrade {
  /** Counts what the pipe carries, once it has ended. */
  readonly tunnel: ClientTunnel;
  /** Bytes that were read from the socket already. */
  readonly initial?: Buffer;
  /** The trace of the exchange that was upgraded, or of the opening. */
  readonly trace?: TraceContext | undefined;
}

/** What becomes of a connection: a socket or what is left of it. */
export class LocalConnection implements Resource {
  readonly kind = "local_socket";
  readonly openedAtMs: number = performance.now();
  readonly socket: Socket;
  readonly outlet: SocketOutlet;
  /** Armed by whoever uses the connection, by the pool while it is idle. */
  readonly deadline: Deadline;
  /** Since when it is idle, on the clock of `openedAtMs`; 0 while in use. */
  idleSinceMs = 0;
  /** It has carried an exchange before the current one. */
  reused = false;
  /** TCP and TLS stand. */
  connected = false;
  readonly #pool: LocalPool;
  #responses: ResponseReader | undefined;
  #user: ConnectionUser | undefined;
  #pipe: Pipe | undefined;
  /** Whose pipe it is. */
  #tunnel: ClientTunnel | undefined;
  #closedBy = "";

  /** @internal Made by {@link LocalPool} only, which owns it. */
  constructor(pool: LocalPool, socket: Socket, user: ConnectionUser) {
    this.#pool = pool;
    this.#user = user;
    this.socket = socket;
    this.outlet = new SocketOutlet(socket, pool.runtime.memory);
    this.deadline = pool.runtime.deadlines.create(() => this.#expire());
    this.deadline.arm(pool.limits.connectMs);
    socket.on(pool.target.tls ? "secureConnect" : "connect", this.#onConnect);
    socket.on("end", this.#onEnd);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
  }

  /** The reader of this connection's responses; made for the first, so that pipes need none. */
  get responses(): ResponseReader {
    this.#responses ??= new ResponseReader(this.#pool.responseHead, this.#pool.runtime.memory);
    return this.#responses;
  }

  /** Where it leads. */
  get target(): Target {
    return this.#pool.target;
  }

  /** Who uses it now. */
  get user(): ConnectionUser | undefined {
    return this.#user;
  }

  /** @internal The pool's: gives an idle connection to its next user. */
  _take(user: ConnectionUser): void {
    this.#user = user;
    this.idleSinceMs = 0;
    this.reused = true;
  }

  /** @internal The pool's: nobody uses it until it is taken again. */
  _idle(idleMs: number): void {
    this.#user = undefined;
    this.idleSinceMs = performance.now();
    this.deadline.arm(idleMs);
  }

  /** Leaves the socket to a pipe with `stream`; this object still owns it, and reports when it is closed. */
  becomePipe(stream: Stream, upgrade: PipeUpgrade): Pipe {
    const { socket, outlet } = this;
    const { runtime, limits } = upgrade.tunnel.context;
    this.#user = undefined;
    this.#tunnel = upgrade.tunnel;
    this.deadline.disarm();
    leaveBytes(socket, this.onBytes);
    socket.off("end", this.#onEnd);
    socket.setKeepAlive(true, keepAliveProbeMs);
    this.#pipe = new Pipe({
      socket,
      stream,
      runtime,
      outlet,
      trace: upgrade.trace,
      idleMs: limits.pipeIdleMs,
      // Only a bare TCP socket can be reset.
      ...(this.#pool.target.tls ? { cut: () => socket.destroy() } : {}),
      ...(upgrade.initial === undefined ? {} : { initial: upgrade.initial }),
      onClosed: this.#onPipeClosed,
    });
    return this.#pipe;
  }

  /** The pipe that it has become. */
  get pipe(): Pipe | undefined {
    return this.#pipe;
  }

  /** Destroys the socket at once. The user hears nothing of it. Idempotent. */
  close(reason: string): void {
    if (this.#closedBy !== "") return;
    this.#closedBy = reason;
    this.#user = undefined;
    this.#pool._closing(this);
    this.deadline.dispose(reason);
    this.#responses?.abandon();
    // In this order: what the outlet still holds must not leave.
    this.socket.destroy();
    this.outlet.detach();
  }

  readonly #onConnect = (): void => {
    if (this.#closedBy !== "") return;
    const { socket } = this;
    const { target } = this.#pool;
    if (target.forbiddenPorts.includes(target.port) && socket.remoteAddress === socket.localAddress) {
      this.#lose(new CaissonError("E_USAGE", `${target.text} leads to a private admin listener of Caisson`));
      return;
    }
    this.connected = true;
    this.deadline.disarm();
    takeBytes(socket, this.#pool.runtime.memory, this.onBytes);
    this.#user?.onConnected();
  };

  /** Bytes from the socket, the receiver's to keep. */
  readonly onBytes = (chunk: Buffer): void => {
    if (this.#user) this.#user.onBytes(chunk);
    else this.close("unexpected_bytes");
  };

  readonly #onEnd = (): void => {
    if (this.#user) this.#user.onEnded();
    else this.close("target_closed");
  };

  readonly #onError = (error: Error): void => {
    this.#lose(error);
  };

  readonly #onClose = (): void => {
    this.#lose(undefined);
    this.#pool._gone(this, this.#closedBy);
  };

  readonly #onPipeClosed = (pipe: Pipe): void => {
    this.#pipe = undefined;
    this.#tunnel?.carried(pipe);
    this.#tunnel = undefined;
    this.close("pipe_closed");
  };

  #lose(error: unknown): void {
    if (this.#closedBy !== "") return;
    const user = this.#user;
    this.close(error === undefined ? "target_closed" : "target_error");
    user?.onLost(error);
  }

  #expire(): void {
    if (!this.connected) {
      const seconds = this.#pool.limits.connectMs / 1000;
      this.#lose(new CaissonError("E_CONNECT", `no connection to ${this.#pool.target.text} within ${seconds} s`));
    } else if (this.#user) this.#user.onDeadline();
    else this.close("idle");
  }
}
