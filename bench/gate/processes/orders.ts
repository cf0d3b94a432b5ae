// What the processes of a gate run ask of each other over IPC: an order with a number, answered by counts or by an error.

/** The answer to an order. */
export type Counts = Readonly<Record<string, number>>;

/** An order on its way to a worker. */
export interface OrderMessage<Order> {
  readonly order: Order;
  readonly number: number;
}

/** A worker's answer. */
export interface AnswerMessage {
  readonly number: number;
  readonly counts?: Counts;
  readonly error?: string;
  /** Whether the error is an answer that was wrong in itself. */
  readonly wrong?: boolean;
}

/** Whether an IPC message is an order. Both ends are ours: the fields of the order itself are trusted. */
export function isOrder<Order>(message: unknown): message is OrderMessage<Order> {
  return typeof message === "object" && message !== null && "order" in message && "number" in message;
}

/** Whether an IPC message is an answer. */
export function isAnswer(message: unknown): message is AnswerMessage {
  return typeof message === "object" && message !== null && "number" in message && !("order" in message);
}
