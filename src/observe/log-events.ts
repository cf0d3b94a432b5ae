// Turns what the core reports into log lines: one per event that an operator wants to read about. Floods are thinned out.
// It keeps no resource, and decides nothing about how lines look.

import type { ExchangeOutcome, ExchangeView, RefusalReason, SessionView } from "../lifecycle/events.ts";
import { isSession, isTunnel } from "../lifecycle/events.ts";
import { QuietEvents } from "../lifecycle/quiet-events.ts";
import type { Resource } from "../lifecycle/resource.ts";
import { LineBudget } from "./line-budget.ts";
import type { Log, LogFacts } from "./log.ts";
import type { LineLevel } from "./log-level.ts";

/** Lines of one kind in ten seconds; the rest is counted. Requests at debug level are not thinned out. */
const maxLinesOfAKind = 50;

/** A subscriber that logs. What metrics count better (chunks, pauses, round trips) makes no line. */
export class LogEvents extends QuietEvents {
  readonly hearsStandingOnly = true;
  readonly #log: Log;
  readonly #budget: LineBudget = new LineBudget(maxLinesOfAKind);

  constructor(log: Log) {
    super();
    this.#log = log;
  }

  override opened(resource: Resource): void {
    if (!isTunnel(resource)) return;
    const { name, url } = resource;
    this.#line("info", "tunnel_opened", { text: `tunnel ${url} opened`, facts: { name, url } });
  }

  override closed(resource: Resource, reason: string): void {
    if (isTunnel(resource)) {
      const { name, url } = resource;
      this.#line("info", "tunnel_closed", {
        text: `tunnel ${url} closed: ${reason}`,
        facts: { name, url, ...endOf(resource, reason) },
      });
    } else if (isSession(resource)) {
      const { peer } = resource;
      this.#line("info", "session_closed", {
        text: `session closed: ${reason}`,
        facts: { peer, ...endOf(resource, reason) },
      });
    }
  }

  override exchangeEnded(exchange: ExchangeView, outcome: ExchangeOutcome): void {
    if (!this.#log.wants("debug")) return;
    const path = pathOf(exchange.target);
    this.#log.line("debug", `${exchange.method} ${path} ${exchange.status} ${outcome}`, {
      event: "request",
      method: exchange.method,
      path,
      status: exchange.status,
      outcome,
      ms: Math.round((exchange.endedAtMs - exchange.openedAtMs) * 10) / 10,
      bytesIn: exchange.bytesIn,
      bytesOut: exchange.bytesOut,
      tunnel: exchange.tunnelName,
      visitor: exchange.visitorAddress === "" ? undefined : exchange.visitorAddress,
      trace_id: exchange.trace?.traceId,
      span_id: exchange.trace?.spanId,
      // The target was told these ids even if nobody has recorded them.
      trace_flags: exchange.trace && (exchange.trace.sampled ? "01" : "00"),
    });
  }

  override sessionConnected(result: string, session: SessionView | undefined): void {
    const facts = { result, peer: session?.peer };
    if (result === "ok") this.#line("info", "session_connected", { text: "session connected", facts });
    else this.#line("warn", "session_refused", { text: `login refused: ${result}`, facts });
  }

  override refused(reason: RefusalReason): void {
    this.#line("debug", "refused", { text: `refused: ${reason}`, facts: { reason } });
  }

  override badRequest(reason: string): void {
    this.#line("debug", "bad_request", { text: `bad request: ${reason}`, facts: { reason } });
  }

  override violated(session: SessionView, reason: string): void {
    const facts = { reason, peer: session.peer };
    this.#line("warn", "violation", { text: `a peer broke the protocol: ${reason}`, facts });
  }

  override faulted(where: string, error: unknown): void {
    const suppressed = this.#budget.take("fault");
    if (suppressed === undefined) return;
    const counted = suppressed > 0 ? { suppressed } : {};
    this.#log.error(`internal error in ${where}; this is a bug`, error, { event: "fault", where, ...counted });
  }

  #line(level: LineLevel, event: string, line: { readonly text: string; readonly facts: LogFacts }): void {
    if (!this.#log.wants(level)) return;
    const suppressed = this.#budget.take(event);
    if (suppressed === undefined) return;
    this.#log.line(level, line.text, { event, ...line.facts, ...(suppressed > 0 ? { suppressed } : {}) });
  }
}

/** The path without its query: queries carry secrets more often than they explain anything. */
export function pathOf(target: string): string {
  const query = target.search(/[?#]/u);
  return query < 0 ? target : `${target.slice(0, query)}?…`;
}

function endOf(resource: Resource, reason: string): { readonly reason: string; readonly seconds: number } {
  return { reason, seconds: Math.round(performance.now() - resource.openedAtMs) / 1000 };
}
