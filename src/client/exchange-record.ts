// What observers may read of an exchange beside the target: facts that are decoded from the head when somebody asks.
// It holds the request and numbers, never a socket or a stream.

import type { ExchangeView, SessionView, TraceContext, UpstreamView } from "../lifecycle/events.ts";
import type { OpenExchange } from "../wire/open.ts";
import { endsUnrecorded, fieldListOf, fieldOf, hostOf, lastTraceparentOf, methodOf, targetOf } from "./request-head.ts";

/** The view of one exchange; {@link ExchangeForwarder} extends it, so that an exchange is one object. */
export abstract class ExchangeRecord implements ExchangeView {
  readonly kind = "exchange";
  readonly role = "client";
  /** That of its stream: the clock is not asked twice for one moment. */
  readonly openedAtMs: number;
  readonly tunnelName: string;
  readonly visitorAddress = "";
  readonly secure = false;
  readonly protocolVersion = "1.1";
  status = 0;
  firstByteAtMs = 0;
  endedAtMs = 0;
  bytesIn = 0;
  bytesOut = 0;
  trace: TraceContext | undefined;
  /** What went wrong at the target, in words; empty if nothing did. */
  failure = "";
  protected readonly open: OpenExchange;

  protected constructor(open: OpenExchange, from: Pick<ExchangeView, "tunnelName" | "openedAtMs">) {
    this.open = open;
    this.tunnelName = from.tunnelName;
    this.openedAtMs = from.openedAtMs;
  }

  abstract get trusted(): boolean;
  abstract get upstream(): UpstreamView;
  abstract get session(): SessionView | undefined;

  get traceparent(): string | undefined {
    return (this.trusted ? lastTraceparentOf(this.open.head) : undefined) ?? this.fieldList("traceparent");
  }

  get saysUnrecorded(): boolean {
    return endsUnrecorded(this.open.head) && this.trusted;
  }

  get streamAtMs(): number {
    return this.openedAtMs;
  }

  get method(): string {
    return methodOf(this.open.head);
  }

  get target(): string {
    return targetOf(this.open.head);
  }

  get host(): string {
    return hostOf(this.open);
  }

  field(name: string): string | undefined {
    return fieldOf(this.open.head, name);
  }

  fieldList(name: string): string | undefined {
    return fieldListOf(this.open.head, name);
  }
}
