// The families about traffic: requests, bytes, sessions, refusals. Names and labels are those that docs and dashboards
// rely on. They read what Metrics has added up, and for what is open right now the containers' sizes.

import type { Metrics } from "./metrics.ts";
import type { Emit, Exposition } from "./prometheus.ts";
import type { ScrapeReadings } from "./scrape-readings.ts";
import type { WordCounts } from "./word-counts.ts";

/** What these families read. */
export interface TrafficSources {
  readonly metrics: Metrics;
  readonly readings: ScrapeReadings;
}

/** Adds the families to an exposition. */
export function addTrafficFamilies(exposition: Exposition, sources: TrafficSources): void {
  addOpenFamilies(exposition, sources.readings);
  addExchangeFamilies(exposition, sources.metrics);
  addFlowFamilies(exposition, sources);
  addSessionFamilies(exposition, sources.metrics);
  addTroubleFamilies(exposition, sources.metrics);
}

function addOpenFamilies(exposition: Exposition, readings: ScrapeReadings): void {
  exposition.gauge({ name: "caisson_sessions", help: "Sessions that are open." }, (emit) =>
    emit(readings.inventory().held.session),
  );
  exposition.gauge({ name: "caisson_tunnels", help: "Tunnels that are open, by type.", labels: ["type"] }, (emit) => {
    const { tunnel } = readings.inventory().held;
    const types = readings.direct.tunnelTypes?.() ?? (tunnel === undefined ? {} : { http: tunnel });
    for (const [type, count] of Object.entries(types)) emit(count, { type });
  });
  exposition.gauge(
    { name: "caisson_streams", help: "Streams that are open, by what they carry.", labels: ["kind"] },
    (emit) => {
      const { stream, pipe = 0 } = readings.inventory().held;
      if (stream === undefined) return;
      // A pipe may outlive its stream for a moment, while its socket still takes the last bytes.
      const piped = Math.min(stream, pipe);
      emit(stream - piped, { kind: "exchange" });
      emit(piped, { kind: "pipe" });
    },
  );
  exposition.gauge({ name: "caisson_visitor_connections", help: "Connections of visitors that are open." }, (emit) =>
    emit(readings.inventory().held.visitor_socket),
  );
  exposition.gauge({ name: "caisson_http_requests_in_flight", help: "Requests that are being answered." }, (emit) =>
    emit(readings.inventory().held.exchange),
  );
  exposition.gauge(
    { name: "caisson_tunnels_reconnecting", help: "Names that are kept for clients that vanished." },
    (emit) => emit(readings.inventory().probes["names.held"]),
  );
  exposition.gauge(
    { name: "caisson_certificate_expiry_seconds", help: "Time until the first certificate expires." },
    (emit) => emit(readings.direct.certificateExpirySeconds?.()),
  );
}

function addExchangeFamilies(exposition: Exposition, metrics: Metrics): void {
  exposition.counter(
    {
      name: "caisson_http_requests_total",
      help: "Requests that ended, by method, response status and outcome.",
      labels: ["method", "code", "outcome"],
    },
    (emit) => {
      for (const { method, code, outcome, count } of metrics._exchanges.cells()) emit(count, { method, code, outcome });
    },
  );
  exposition.histogram(
    {
      name: "caisson_http_request_duration_seconds",
      help: "From the end of a request head to the end of the exchange.",
    },
    (emit) => emit(metrics._durations),
  );
  exposition.histogram(
    {
      name: "caisson_http_time_to_first_byte_seconds",
      help: "From the end of a request head to the first byte of the response head.",
    },
    (emit) => emit(metrics._firstBytes),
  );
}

function addFlowFamilies(exposition: Exposition, sources: TrafficSources): void {
  const { metrics, readings } = sources;
  exposition.counter(
    {
      name: "caisson_bytes_total",
      help: "Payload bytes carried: in is from visitor to target, out the other way.",
      labels: ["direction"],
    },
    (emit) => {
      emit(metrics._bytes.in, { direction: "in" });
      emit(metrics._bytes.out, { direction: "out" });
    },
  );
  exposition.gauge(
    {
      name: "caisson_buffered_bytes",
      help: "Bytes that wait in memory, by the side that is to take them.",
      labels: ["side"],
    },
    (emit) => {
      const buffered = readings.direct.bufferedBytes?.(readings.inventory()) ?? {};
      for (const [side, bytes] of Object.entries(buffered)) emit(bytes, { side });
    },
  );
  exposition.counter(
    {
      name: "caisson_backpressure_pauses_total",
      help: "How often a source was paused because what it feeds was full.",
      labels: ["side"],
    },
    (emit) => {
      for (const [side, count] of Object.entries(metrics._pauses)) emit(count, { side });
    },
  );
}

function addSessionFamilies(exposition: Exposition, metrics: Metrics): void {
  exposition.counter(
    { name: "caisson_session_connects_total", help: "Logins by result.", labels: ["result"] },
    words(metrics._connects, "result"),
  );
  exposition.counter(
    { name: "caisson_session_closes_total", help: "Sessions that closed, by reason.", labels: ["reason"] },
    words(metrics._sessionCloses, "reason"),
  );
  exposition.histogram(
    { name: "caisson_session_duration_seconds", help: "How long sessions that closed were open." },
    (emit) => emit(metrics._sessionLives),
  );
  exposition.histogram(
    { name: "caisson_heartbeat_rtt_seconds", help: "Round trips between client and server." },
    (emit) => emit(metrics._roundTrips),
  );
}

function addTroubleFamilies(exposition: Exposition, metrics: Metrics): void {
  exposition.counter(
    {
      name: "caisson_refused_total",
      help: "Visitors, requests, streams and logins that were turned away.",
      labels: ["reason"],
    },
    words(metrics._refusals, "reason"),
  );
  exposition.counter(
    { name: "caisson_bad_requests_total", help: "Requests that were no acceptable HTTP.", labels: ["reason"] },
    words(metrics._badRequests, "reason"),
  );
  exposition.counter(
    {
      name: "caisson_protocol_violations_total",
      help: "Sessions that were closed because the peer broke the protocol.",
      labels: ["reason"],
    },
    words(metrics._violations, "reason"),
  );
  exposition.counter(
    { name: "caisson_faults_total", help: "Errors that must not happen, by place; each is a bug.", labels: ["where"] },
    words(metrics._faults, "where"),
  );
}

function words(counts: WordCounts, label: string): (emit: Emit) => void {
  return (emit) => {
    for (const [word, count] of counts.entries()) emit(count, { [label]: word });
  };
}
