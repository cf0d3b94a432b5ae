// Counts finished exchanges by method, status and outcome. The hot path costs three comparisons and an addition; labels
// are made once per combination. The number of combinations is bounded, whatever methods and statuses peers think of.

import type { ExchangeOutcome, ExchangeView } from "../lifecycle/events.ts";

/** One combination of labels and how often it was seen. */
export interface ExchangeCell {
  readonly method: string;
  readonly code: string;
  readonly outcome: ExchangeOutcome;
  count: number;
}

/** The methods that metrics and spans call by their name. */
export const knownMethods = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"] as const;
const otherMethod = "_OTHER";
const otherCode = "other";
/** Combinations beyond these lose their status, so that no target can make series by answering every number. */
const maxCells = 1_000;

/** The number of each outcome; a Record, so that a new one cannot be forgotten. */
const outcomeNumbers: Readonly<Record<ExchangeOutcome, number>> = {
  ok: 0,
  visitor_abort: 1,
  no_tunnel: 2,
  reconnecting: 3,
  target_refused: 4,
  target_unreachable: 5,
  bad_target_response: 6,
  target_timeout: 7,
  client_lost: 8,
  overloaded: 9,
  bad_request: 10,
  target_cut: 11,
  internal: 12,
  shutdown: 13,
};
const outcomeCount = 16;
const codeCount = 600;

/** The counts of one role. */
export class ExchangeCounts {
  readonly #methods: ReadonlyMap<string, number> = new Map(knownMethods.map((method, index) => [method, index + 1]));
  readonly #cells: Map<number, ExchangeCell> = new Map();
  // Most exchanges are like the one before: comparing is cheaper than looking up, above all for a method that was only
  // just decoded and has no hash yet.
  #latestMethod = "";
  #latestStatus = 0;
  #latest: ExchangeCell | undefined;

  /** Counts one finished exchange. */
  add(exchange: ExchangeView, outcome: ExchangeOutcome): void {
    const { method, status } = exchange;
    let cell = this.#latest;
    if (cell?.outcome !== outcome || status !== this.#latestStatus || method !== this.#latestMethod) {
      cell = this.#find(method, { status, outcome });
      this.#latest = cell;
      this.#latestMethod = method;
      this.#latestStatus = status;
    }
    cell.count += 1;
  }

  /** Every combination seen so far. */
  cells(): Iterable<ExchangeCell> {
    return this.#cells.values();
  }

  #find(
    name: string,
    { status, outcome }: { readonly status: number; readonly outcome: ExchangeOutcome },
  ): ExchangeCell {
    const method = this.#methods.get(name) ?? 0;
    const code = status >= 100 && status < codeCount ? status : 0;
    const key = (method * codeCount + code) * outcomeCount + outcomeNumbers[outcome];
    return this.#cells.get(key) ?? this.#create(key, { method, code, outcome });
  }

  #create(
    key: number,
    labels: { readonly method: number; code: number; readonly outcome: ExchangeOutcome },
  ): ExchangeCell {
    const { method, code, outcome } = labels;
    if (this.#cells.size >= maxCells && code !== 0) {
      const shared = method * codeCount * outcomeCount + outcomeNumbers[outcome];
      return this.#cells.get(shared) ?? this.#create(shared, { method, code: 0, outcome });
    }
    const cell = {
      method: knownMethods[method - 1] ?? otherMethod,
      code: code === 0 ? otherCode : String(code),
      outcome,
      count: 0,
    };
    this.#cells.set(key, cell);
    return cell;
  }
}
