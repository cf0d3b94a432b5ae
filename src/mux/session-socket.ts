// One open WebSocket as a Transport. Messages go to the socket and come from it directly; all else is the business of `ws`:
// the first frame that is no plain message within the limits, be it a ping, a close or a breach, and all behind it are
// read by `ws`. It promises that messages are binary and within the limits, and that each socket is reported closed once.

import { Socket } from "node:net";
import type { RawData } from "ws";
import { WebSocket } from "ws";
import type { Resource } from "../lifecycle/resource.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import { blockBytes } from "../lifecycle/transfer-memory.ts";
import type { ViolationReason } from "../wire/violation.ts";
import { violation } from "../wire/violation.ts";
import { readAsStream, readInto } from "./direct-reading.ts";
import { LentWriter } from "./lent-writer.ts";
import { MaskingKeys } from "./masking-keys.ts";
import type { MessageSink } from "./message-reader.ts";
import { MessageReader } from "./message-reader.ts";
import type { Transport, TransportReceiver } from "./transport.ts";
import { frameMessage, maskedHeaderBytes, unmaskedHeaderBytes } from "./ws-frame.ts";

/** A WebSocket that belongs to a session. */
type OwnedWebSocket = WebSocket & { [owner]?: SessionSocket | undefined; [masking]?: "zero" | "random" };

/** The socket under it, which `ws` shares with the session: see {@link SessionSocket}. */
type SharedSocket = Socket & { [owner]?: SessionSocket | undefined };

type DataListener = (this: Socket, chunk: Buffer) => void;

const owner = Symbol("SessionSocket");
const masking = Symbol("masking");

/** Tells how a client's WebSocket masks what it sends; a server's does not. To be called before it opens. */
export function setMasking(socket: WebSocket, mask: "zero" | "random"): void {
  const owned: OwnedWebSocket = socket;
  owned[masking] = mask;
}

/** One open WebSocket as a transport. It owns it from its construction on, in the very turn in which that opened. */
export class SessionSocket implements Transport, Resource, MessageSink {
  readonly kind = "session_socket";
  readonly openedAtMs: number = performance.now();
  readonly headroomBytes: number;
  receiver: TransportReceiver | undefined = undefined;
  readonly #runtime: Runtime;
  /** Undefined for a server, which must not mask. */
  readonly #maskingKeys: MaskingKeys | undefined;
  readonly #raw: SharedSocket;
  #socket: OwnedWebSocket | undefined;
  /** Undefined once `ws` reads the socket itself. */
  #reader: MessageReader | undefined;
  #readByWs: DataListener | undefined;
  #closedBy = "closed_by_peer";
  readonly #writer: LentWriter;

  constructor(socket: WebSocket, runtime: Runtime) {
    this.#raw = socketUnder(socket);
    this.#runtime = runtime;
    this.#writer = new LentWriter(this.#raw, { memory: runtime.memory, onWritten: () => this.receiver?.onSent() });
    const owned: OwnedWebSocket = socket;
    this.#socket = owned;
    runtime.events.opened(this);
    owned[owner] = this;
    owned.on("message", onMessage);
    owned.on("error", onError);
    owned.on("close", onClose);
    const mask = owned[masking];
    this.headroomBytes = mask ? maskedHeaderBytes : unmaskedHeaderBytes;
    this.#maskingKeys = mask && new MaskingKeys(mask);
    this.#takeOver(mask ? "server" : "client");
  }

  get unsentBytes(): number {
    return this.#socket ? this.#raw.writableLength : 0;
  }

  send(message: Buffer, end: number): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    const place = { headroom: this.headroomBytes, end };
    // `ws` does not queue without compression, so its own frames keep their place among ours.
    const frame = frameMessage(message, place, this.#maskingKeys?.next());
    this.#writer.write(frame, message);
  }

  close(code: number, reason: string): void {
    this.#closedBy = "closed";
    this.#socket?.close(code, reason);
  }

  terminate(): void {
    this.#closedBy = "terminated";
    this.#socket?.terminate();
  }

  /** @internal */
  _onData(chunk: Buffer): void {
    const rest = this.#reader?.read(chunk);
    if (rest) this.#giveBack(rest);
  }

  /** @internal */
  _onWhole(message: Buffer): void {
    this.receiver?.onMessage(message);
  }

  /** @internal */
  _onMessage(data: RawData, isBinary: boolean): void {
    if (!isBinary) this.receiver?.onError(violation("text_message"));
    // `nodebuffer` is the default binaryType, and nobody else has the socket.
    else if (Buffer.isBuffer(data)) this._onWhole(data);
  }

  /** @internal */
  _onError(error: unknown): void {
    const reason = violationOf(error);
    this.#closedBy = reason ? "violation" : "error";
    this.receiver?.onError(reason ? violation(reason, error) : error);
  }

  /** @internal */
  _onClose(code: number, reason: Buffer): void {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = undefined;
    socket[owner] = undefined;
    socket.off("message", onMessage);
    socket.off("close", onClose);
    this.#release();
    this.#runtime.events.closed(this, this.#closedBy);
    const { receiver } = this;
    this.receiver = undefined;
    receiver?.onClosed(code, reason.toString());
  }

  /** Reads the socket in the place of `ws`, unless that has stopped reading, or has another way than we know. */
  #takeOver(from: "client" | "server"): void {
    const raw = this.#raw;
    const listeners: readonly unknown[] = raw.listeners("data");
    const [readByWs] = listeners;
    if (!isDataListener(readByWs) || listeners.length > 1) return;
    this.#readByWs = readByWs;
    const { memory } = this.#runtime;
    this.#reader = new MessageReader({ from, sink: this, memory });
    raw[owner] = this;
    raw.off("data", readByWs);
    raw.on("data", onData);
    const intake = memory.intake(blockBytes);
    readInto(raw, intake, (length) => {
      this._onData(intake.subarray(0, length));
      return true;
    });
  }

  /** From these bytes on, which begin with a frame, `ws` reads. */
  #giveBack(bytes: Buffer): void {
    const raw = this.#raw;
    const readByWs = this.#readByWs;
    this.#release();
    if (!readByWs || raw.destroyed) return;
    raw.on("data", readByWs);
    // It keeps what it gets.
    readByWs.call(raw, Buffer.from(bytes));
  }

  #release(): void {
    this.#reader = undefined;
    this.#readByWs = undefined;
    this.#raw.off("data", onData);
    readAsStream(this.#raw);
    this.#raw[owner] = undefined;
  }
}

function onData(this: SharedSocket, chunk: Buffer): void {
  this[owner]?._onData(chunk);
}

function onMessage(this: OwnedWebSocket, data: RawData, isBinary: boolean): void {
  this[owner]?._onMessage(data, isBinary);
}

/** Stays on a closed socket: an error without a listener would end the process. */
function onError(this: OwnedWebSocket, error: Error): void {
  this[owner]?._onError(error);
}

function onClose(this: OwnedWebSocket, code: number, reason: Buffer): void {
  this[owner]?._onClose(code, reason);
}

function isDataListener(listener: unknown): listener is DataListener {
  return typeof listener === "function";
}

function socketUnder(webSocket: WebSocket): Socket {
  const socket: unknown = "_socket" in webSocket ? webSocket._socket : undefined;
  if (!(socket instanceof Socket)) throw new Error("this version of ws hides its socket, or the WebSocket is not open");
  return socket;
}

/** What the peer did wrong, if `ws` complains of its bytes and not of the network. */
function violationOf(error: unknown): ViolationReason | undefined {
  if (typeof error !== "object" || error === null || !("code" in error) || typeof error.code !== "string")
    return undefined;
  if (error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") return "message_too_large";
  if (error.code === "WS_ERR_TOO_MANY_BUFFERED_PARTS") return "fragments";
  return error.code.startsWith("WS_ERR_") ? "websocket" : undefined;
}
