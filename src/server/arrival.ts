// A visitor's connection between accept and its first request: a balancer's PROXY header, a ClientHello, a TLS handshake,
// as far as each is due, under one deadline. It owns the socket until it hands it on whole, unread bytes included, or
// destroys it without a word, and never keeps more of it than the longest ClientHello.
//
//   proxy ──header──> hello ──ClientHello──> handshake ──secure──> arrived
//     │                 └── a name that is passed through ──> arrived, still encrypted
//     └── the port of a TCP tunnel ──> arrived

import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import { TLSSocket } from "node:tls";
import type { Deadline } from "../lifecycle/deadlines.ts";
import { unreachable } from "../lifecycle/errors.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import { ignoreError } from "../lifecycle/listener.ts";
import { cutSecured } from "../mux/cut-socket.ts";
import { readClientHello } from "./client-hello.ts";
import { readProxyHeader } from "./proxy-header.ts";
import { plainAddress } from "./trusted-proxies.ts";
import type { AcceptedConnection, Door } from "./visitor-owner.ts";

/** What comes before a connection's first request. */
export interface ArrivalSteps {
  /** The peer is a balancer that says whom it speaks for. */
  readonly proxyHeader: boolean;
  /** The connection is encrypted. */
  readonly tls: boolean;
  /** Who comes in there: no tunnel's visitors by the door of clients. */
  readonly door: Door;
  /** The tunnel that it is led to as it is, whatever is in it; undefined if it is for the server to read. */
  readonly port?: string | undefined;
}

/** Who holds arrivals and knows what becomes of them. */
export interface ArrivalOwner {
  readonly runtime: Runtime;
  /** A balancer has named the visitor. False if it may not come in; that was counted then. */
  onProxied(arrival: Arrival, address: string): boolean;
  /** The certificate for a name; undefined if there is none. */
  contextFor(serverName: string | undefined): SecureContext | undefined;
  /** The tunnel that connections for this server name are led to as they are; undefined if they are not. */
  passedTo(serverName: string): string | undefined;
  /** The connection is ready for its first request. The socket is the callee's from here on. */
  onArrived(arrival: Arrival, accepted: AcceptedConnection): void;
  /** The connection is for a tunnel as it is: `hello` was read from it. The socket is the callee's from here on. */
  onPassThrough(arrival: Arrival, passing: PassingConnection): void;
  /** It came to nothing; the socket is destroyed. */
  onLost(arrival: Arrival): void;
}

/** A connection that is led to a tunnel without being read. */
export interface PassingConnection {
  /** What kind of tunnel it has to be. */
  readonly type: "tcp" | "tls";
  /** Paused. */
  readonly socket: Socket;
  readonly address: string;
  /** The tunnel's name. */
  readonly name: string;
  /** What was read from it: the ClientHello, and what came with it; or what came with a PROXY header. */
  readonly hello: Buffer;
}

type Step = "proxy" | "hello" | "handshake" | "over";

const noBytes: Buffer = Buffer.alloc(0);
const leastBytes = 1024;
const alpnProtocols: string[] = ["http/1.1"];

/** One connection on its way in. */
export class Arrival {
  readonly #owner: ArrivalOwner;
  readonly #socket: Socket;
  readonly #tls: boolean;
  readonly #door: Door;
  readonly #port: string | undefined;
  readonly #deadline: Deadline;
  #address: string;
  #step: Step;
  /** What was read and not passed on, in the first `#length` bytes. */
  #buffer: Buffer = noBytes;
  #length = 0;
  #secured: TLSSocket | undefined;
  #serverName: string | undefined;

  /** `deadlineMs`: for all steps together. */
  constructor(
    owner: ArrivalOwner,
    options: {
      readonly socket: Socket;
      readonly address: string;
      readonly steps: ArrivalSteps;
      readonly deadlineMs: number;
    },
  ) {
    const { socket, steps } = options;
    this.#owner = owner;
    this.#socket = socket;
    this.#address = options.address;
    this.#tls = steps.tls;
    this.#door = steps.door;
    this.#port = steps.port;
    this.#step = steps.proxyHeader ? "proxy" : "hello";
    this.#deadline = owner.runtime.deadlines.create(() => this.#refuse("arrival_timeout"));
    this.#deadline.arm(options.deadlineMs);
    socket.on("data", this.#onData).on("end", this.#onGone).on("close", this.#onGone).on("error", ignoreError);
  }

  /** Gives up. Idempotent. */
  close(reason: string): void {
    if (this.#step === "over") return;
    this.#letGo(reason);
    this.#secured?.destroy();
    this.#socket.destroy();
    this.#owner.onLost(this);
  }

  readonly #onData = (chunk: Buffer): void => {
    const bytes = this.#length === 0 ? chunk : this.#keep(chunk);
    const taken = this.#read(bytes);
    if (this.#step !== "proxy" && this.#step !== "hello") return;
    if (taken > 0 || this.#length === 0) this.#restart(bytes.subarray(taken));
  };

  /** The visitor left, or said goodbye before anything was asked. */
  readonly #onGone = (): void => this.close("visitor_closed");

  readonly #onSecure = (): void => {
    const secured = this.#secured;
    if (!secured || this.#step !== "handshake") return;
    const serverName = this.#serverName;
    const door = this.#door;
    this.#letGo("arrived");
    const accepted = { socket: secured, raw: this.#socket, address: this.#address, scheme: "https", door } as const;
    cutOnTlsError(secured, this.#socket);
    this.#owner.onArrived(this, serverName === undefined ? accepted : { ...accepted, serverName });
  };

  readonly #onHandshakeError = (): void => this.#refuse("tls_handshake");

  /** Answers how many bytes were dealt with for good. */
  #read(bytes: Buffer): number {
    switch (this.#step) {
      case "proxy":
        return this.#readProxy(bytes);
      case "hello":
        this.#readHello(bytes);
        return 0;
      case "handshake":
      case "over":
        return bytes.length;
      default:
        return unreachable(this.#step);
    }
  }

  #readProxy(bytes: Buffer): number {
    const progress = readProxyHeader(bytes);
    if (progress.state === "more") return 0;
    if (progress.state === "refused") {
      this.#refuse("proxy_protocol");
      return bytes.length;
    }
    if (progress.address !== undefined) {
      this.#address = plainAddress(progress.address);
      if (!this.#owner.onProxied(this, this.#address)) {
        this.close("refused");
        return bytes.length;
      }
    }
    const rest = bytes.subarray(progress.end);
    this.#step = "hello";
    if (this.#port !== undefined) this.#pass("tcp", { name: this.#port, bytes: rest });
    else if (!this.#tls) this.#arrive(rest);
    else if (rest.length > 0) this.#readHello(rest);
    return progress.end;
  }

  #readHello(bytes: Buffer): void {
    const progress = readClientHello(bytes);
    if (progress.state === "more") return;
    if (progress.state === "refused") {
      this.#refuse(progress.problem);
      return;
    }
    const { serverName } = progress;
    const isVisitor = this.#door !== "clients";
    const name = serverName !== undefined && isVisitor ? this.#owner.passedTo(serverName) : undefined;
    if (name !== undefined) {
      this.#pass("tls", { name, bytes });
      return;
    }
    this.#serverName = serverName;
    this.#shakeHands(bytes);
  }

  #pass(type: PassingConnection["type"], to: { readonly name: string; readonly bytes: Buffer }): void {
    const socket = this.#socket;
    const hello = Buffer.from(to.bytes);
    socket.pause();
    this.#letGo("passed_through");
    this.#owner.onPassThrough(this, { type, socket, address: this.#address, name: to.name, hello });
  }

  #shakeHands(bytes: Buffer): void {
    const secureContext = this.#owner.contextFor(this.#serverName);
    if (!secureContext) {
      this.#refuse("no_certificate");
      return;
    }
    const socket = this.#socket;
    this.#step = "handshake";
    // The end is the TLS socket's to see from here on.
    socket.off("data", this.#onData).off("end", this.#onGone);
    socket.pause();
    socket.unshift(bytes);
    const secured = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: alpnProtocols });
    this.#secured = secured;
    secured.on("error", ignoreError).once("secure", this.#onSecure);
    secured.once("_tlsError", this.#onHandshakeError).once("close", this.#onGone);
  }

  /** A plain connection: what was read goes back, so that whoever comes next reads it first. */
  #arrive(rest: Buffer): void {
    const socket = this.#socket;
    socket.pause();
    this.#letGo("arrived");
    if (rest.length > 0) socket.unshift(rest);
    this.#owner.onArrived(this, { socket, raw: socket, address: this.#address, scheme: "http", door: this.#door });
    if (!socket.destroyed) socket.resume();
  }

  #refuse(reason: string): void {
    if (this.#step === "over") return;
    this.#owner.runtime.events.refused(reason);
    this.close(reason);
  }

  /** Appends to what is kept, and answers all of it. */
  #keep(chunk: Buffer): Buffer {
    const length = this.#length + chunk.length;
    if (length > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(leastBytes, 2 * this.#buffer.length, length));
      this.#buffer.copy(grown, 0, 0, this.#length);
      this.#buffer = grown;
    }
    chunk.copy(this.#buffer, this.#length);
    this.#length = length;
    return this.#buffer.subarray(0, length);
  }

  /** Keeps a copy of `bytes`, which may be a part of what is kept, and nothing else. */
  #restart(bytes: Buffer): void {
    this.#length = 0;
    if (bytes.length > 0) this.#keep(bytes);
  }

  #letGo(reason: string): void {
    this.#step = "over";
    this.#buffer = noBytes;
    this.#length = 0;
    this.#deadline.dispose(reason);
    this.#socket.off("data", this.#onData).off("end", this.#onGone).off("close", this.#onGone);
    this.#secured?.off("secure", this.#onSecure).off("_tlsError", this.#onHandshakeError).off("close", this.#onGone);
  }
}

/** What breaks the encryption of an open connection is told by no other event, and the connection would linger. */
function cutOnTlsError(secured: TLSSocket, raw: Socket): void {
  secured.on("_tlsError", () => cutSecured(secured, raw));
}
