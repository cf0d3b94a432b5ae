// A small client of the Chrome DevTools Protocol, as `node --inspect` speaks it. It enables no domain that makes the
// target remember anything, and holds no object of the target beyond the call that asked for it.

import { WebSocket } from "ws";
import { CaissonError } from "../../../src/lifecycle/errors.ts";
import type { JsonObject } from "./json-shape.ts";
import { isObject, objectOf, parseObject, textOf } from "./json-shape.ts";

/** How long one command may take, in milliseconds: counting the objects of a large heap takes seconds. */
const commandMs = 120_000;
const connectMs = 10_000;
/** Everything that is held while objects are counted, so that it can be let go at once. */
const objectGroup = "gate";

interface Waiting {
  readonly timer: NodeJS.Timeout;
  resolve(result: JsonObject): void;
  reject(error: CaissonError): void;
}

/** One connection to one target. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting: Map<number, Waiting> = new Map();
  #last = 0;
  #lost: CaissonError | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => this.#onMessage(data.toString()));
    socket.on("error", () => undefined); // A close follows, which tells everybody who waits.
    socket.on("close", () =>
      this.#fail(
        new CaissonError("E_GATE", "the inspector's connection was lost: the measured process has ended, or closed it"),
      ),
    );
  }

  /** Connects to a target such as `ws://127.0.0.1:9229/UUID`. Rejects with E_GATE. */
  static async connect(url: string): Promise<Inspector> {
    const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: connectMs, maxPayload: 2 ** 29 });
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", (error) =>
        reject(
          // Whoever knows the whole address may run anything in that process.
          new CaissonError("E_GATE", `the inspector at ${new URL(url).host} did not answer: ${error.message}`, {
            cause: error,
          }),
        ),
      );
    });
    const inspector = new Inspector(socket);
    // Node would wait for us when its process ends, and nobody could tell that it has.
    try {
      await inspector.send("NodeRuntime.notifyWhenWaitingForDisconnect", { enabled: true });
    } catch (error) {
      await inspector.close();
      throw new CaissonError("E_GATE", `what answers at ${new URL(url).host} is no Node`, { cause: error });
    }
    return inspector;
  }

  /** Whether the connection is lost, or was let go. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** Sends a command. Rejects with E_GATE when the target refuses it or is gone. */
  send(method: string, params: object = {}): Promise<JsonObject> {
    if (this.#lost) return Promise.reject(this.#lost);
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      const onTimeout = (): void => {
        this.#waiting.delete(id);
        reject(new CaissonError("E_GATE", `${method} was not answered in ${commandMs} ms`));
      };
      this.#waiting.set(id, { resolve, reject, timer: setTimeout(onTimeout, commandMs) });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  /** Evaluates an expression in the target, waits if it is a promise, and gives back its JSON value. */
  async evaluate(expression: string): Promise<unknown> {
    return valueOf(await this.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true }));
  }

  /**
   * Hands all objects of the target whose prototype chain contains the value of `prototype` to each of `readers`, functions
   * that use nothing but their argument, and gives back their JSON values by name. V8 collects garbage first.
   */
  async queryObjects(
    prototype: string,
    readers: Readonly<Record<string, (objects: readonly object[]) => unknown>>,
  ): Promise<unknown> {
    const readings = Object.entries(readers).map(([name, read]) => `${name}: (${read.toString()})(this)`);
    try {
      const asked = await this.send("Runtime.evaluate", { expression: prototype, objectGroup });
      const prototypeObjectId = handleOf(asked["result"]);
      const found = await this.send("Runtime.queryObjects", { prototypeObjectId, objectGroup });
      const answer = await this.send("Runtime.callFunctionOn", {
        objectId: handleOf(found["objects"]),
        functionDeclaration: `function () { return { ${readings.join(", ")} }; }`,
        returnByValue: true,
        objectGroup,
      });
      return valueOf(answer);
    } finally {
      await this.send("Runtime.releaseObjectGroup", { objectGroup }).catch(() => undefined); // The first failure counts.
    }
  }

  /** Lets go of the target. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#socket.once("close", () => resolve());
    });
    if (this.#lost) return;
    this.#socket.terminate();
    await closed;
  }

  #onMessage(text: string): void {
    const message = parseObject(text, "a message of the inspector");
    const { id, error, result, method } = message;
    if (method === "NodeRuntime.waitingForDisconnect") {
      this.#fail(new CaissonError("E_GATE", "the measured process has ended"));
      this.#socket.terminate();
      return;
    }
    if (typeof id !== "number") return; // An event that nobody asked for.
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    if (error === undefined) waiting.resolve(isObject(result) ? result : {});
    else waiting.reject(new CaissonError("E_GATE", `the inspector refused: ${JSON.stringify(error)}`));
  }

  #fail(error: CaissonError): void {
    this.#lost ??= error;
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#waiting.clear();
  }
}

function valueOf(answer: JsonObject): unknown {
  const { result, exceptionDetails } = answer;
  if (exceptionDetails !== undefined) {
    throw new CaissonError("E_GATE", `the target threw: ${JSON.stringify(exceptionDetails)}`);
  }
  return objectOf(result, "an answer of the inspector")["value"];
}

function handleOf(value: unknown): string {
  return textOf(objectOf(value, "an object of the target")["objectId"], "its handle");
}
