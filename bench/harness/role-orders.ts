// What a bench asks of a process that plays a role, and what that answers.

import type { CrowdState } from "./crowd.ts";

/** Whether and how a role is traced; without it, as by default: if the process has an SDK. */
export interface TracingOrder {
  /** The collector; the process gets an SDK if it has none yet. Undefined: no SDK, and no look for one. */
  readonly endpoint?: string;
  /** The share of requests that are recorded; 0: the role is not traced at all. */
  readonly ratio: number;
}

/** One order. */
export type Order =
  /** Starts a server. */
  | { readonly do: "serve"; readonly admin: boolean; readonly folder: string; readonly tracing?: TracingOrder }
  /** Starts one client, whose tunnel is called `bench`. */
  | {
      readonly do: "connect";
      readonly admin: boolean;
      readonly folder: string;
      readonly tracing?: TracingOrder;
      readonly server: string;
      readonly target: number;
    }
  /** Connects many clients, with so many tunnels each. */
  | {
      readonly do: "crowd";
      readonly server: string;
      readonly target: number;
      readonly sessions: number;
      readonly tunnelsEach: number;
      /** `usual`: they ping as clients do by default. Default `silent`. */
      readonly keepAlive?: "silent" | "usual";
    }
  /** How the crowd stands. */
  | { readonly do: "standing" }
  /** Closes all clients of the process. */
  | { readonly do: "disperse" }
  /** Tells the CPU time used so far. */
  | { readonly do: "cpu" }
  /** Sends the spans that wait, and answers when they are sent. */
  | { readonly do: "flush" }
  /** Records all requests from now on, or the share that the role was told of. */
  | { readonly do: "record"; readonly which: "all" | "share" }
  /** How long the event loop was busy so far. */
  | { readonly do: "loop" };

/** Where a role is to be found. */
export interface RolePlace {
  readonly url: string;
  /** Empty without a private listener. */
  readonly admin: string;
  readonly token: string;
}

/** The answers, by order. Times in milliseconds. */
export interface Answers {
  readonly serve: RolePlace;
  readonly connect: RolePlace;
  readonly crowd: { readonly tunnels: number };
  readonly standing: CrowdState;
  readonly disperse: { readonly tunnels: number };
  readonly cpu: { readonly ms: number };
  readonly flush: { readonly flushed: true };
  readonly record: { readonly which: "all" | "share" };
  readonly loop: { readonly ms: number };
}

/** The order as it travels. */
export interface Question {
  readonly id: number;
  readonly order: Order;
}

/** Its answer as it travels. */
export interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** Whether a message is a question. */
export function isQuestion(message: unknown): message is Question {
  return typeof message === "object" && message !== null && "id" in message && "order" in message;
}

/** Whether a message is a reply. */
export function isReply(message: unknown): message is Reply {
  return typeof message === "object" && message !== null && "id" in message && !("order" in message);
}
