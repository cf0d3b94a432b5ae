// The client beside the target: is it connected, what does the target answer, and what does the client itself need.

import { at, window } from "./dashboard.ts";
import type { DashboardSpec } from "./dashboard.ts";

/** Client. */
export const client: DashboardSpec = {
  uid: "caisson-client",
  title: "Caisson: Client",
  description: "Clients that were started with --admin: their sessions, their target, their process.",
  subject: 'caisson_probe_size{probe="client.links"}',
  rows: [
    {
      title: "Connected?",
      panels: [
        {
          title: "Servers without a session",
          description:
            "Servers that a client was told of and has no session with. Their visitors get no answer from this client. 0 is normal.",
          unit: "none",
          as: "number",
          alarmAt: 1,
          queries: [
            {
              expr: `sum(clamp_min(caisson_probe_size{${at},probe="client.links"} - ignoring (probe) caisson_sessions{${at}}, 0))`,
              legend: "servers",
            },
          ],
        },
        {
          title: "Sessions",
          description: "Sessions that are open: one per server.",
          unit: "none",
          as: "number",
          queries: [{ expr: `sum(caisson_sessions{${at}})`, legend: "sessions" }],
        },
        {
          title: "Tunnels",
          description: "Tunnels that are open, of all types.",
          unit: "none",
          as: "number",
          queries: [{ expr: `sum(caisson_tunnels{${at}})`, legend: "tunnels" }],
        },
        {
          title: "Dialling",
          description: "Connections to servers that are being made right now.",
          unit: "none",
          as: "number",
          queries: [{ expr: `sum(caisson_probe_size{${at},probe="client.dialing"})`, legend: "dialling" }],
        },
        {
          title: "Requests",
          description: "Requests that ended, per second.",
          unit: "reqps",
          as: "number",
          queries: [{ expr: `sum(rate(caisson_http_requests_total{${at}}${window}))`, legend: "requests" }],
        },
        {
          title: "Retained",
          description:
            "Resources that were closed and that something still refers to. Above 0 is a leak in the client.",
          unit: "none",
          as: "number",
          alarmAt: 1,
          queries: [{ expr: `sum(caisson_resources_retained{${at}})`, legend: "retained" }],
        },
      ],
    },
    {
      title: "To the server",
      panels: [
        {
          title: "Dials",
          description: "Attempts to get a session, by result.",
          unit: "cps",
          queries: [
            {
              expr: `sum by (instance, result) (rate(caisson_session_connects_total{${at}}${window}))`,
              legend: "{{instance}} {{result}}",
            },
          ],
        },
        {
          title: "Ends of sessions",
          description: "Sessions that closed since the start, by reason.",
          unit: "none",
          queries: [
            {
              expr: `sum by (instance, reason) (caisson_session_closes_total{${at}})`,
              legend: "{{instance}} {{reason}}",
            },
          ],
        },
        {
          title: "How long sessions lasted",
          description:
            "Mean of the sessions that closed since the start. Minutes mean that the network or a proxy cuts them.",
          unit: "s",
          queries: [
            {
              expr: `sum by (instance) (caisson_session_duration_seconds_sum{${at}}) / (sum by (instance) (caisson_session_duration_seconds_count{${at}}) > 0)`,
              legend: "{{instance}}",
            },
          ],
        },
        {
          title: "Round trip to the server",
          description: "Of the session's own pings. It includes what waits in front of them.",
          unit: "s",
          queries: [
            {
              expr: `histogram_quantile(0.5, sum by (instance, le) (rate(caisson_heartbeat_rtt_seconds_bucket{${at}}${window})))`,
              legend: "{{instance}} p50",
            },
            {
              expr: `histogram_quantile(0.99, sum by (instance, le) (rate(caisson_heartbeat_rtt_seconds_bucket{${at}}${window})))`,
              legend: "{{instance}} p99",
            },
          ],
        },
      ],
    },
    {
      title: "To the target",
      panels: [
        {
          title: "Outcomes",
          description:
            "Requests by outcome. target_refused: nothing listens there; target_timeout: it does not answer; bad_target_response: what it answers is not HTTP.",
          unit: "reqps",
          as: "stack",
          queries: [
            {
              expr: `sum by (outcome) (rate(caisson_http_requests_total{${at}}${window}))`,
              legend: "{{outcome}}",
            },
          ],
        },
        {
          title: "Time to the target's first byte",
          description:
            "From the request's arrival at the client to the first byte of the target's answer: the target alone. Points lead to traces where tracing is on.",
          unit: "s",
          queries: [
            {
              expr: `histogram_quantile(0.5, sum by (le) (rate(caisson_http_time_to_first_byte_seconds_bucket{${at}}${window})))`,
              legend: "p50",
            },
            {
              expr: `histogram_quantile(0.99, sum by (le) (rate(caisson_http_time_to_first_byte_seconds_bucket{${at}}${window})))`,
              legend: "p99",
              exemplars: true,
            },
          ],
        },
        {
          title: "Request duration",
          description: "From the request's arrival at the client to the end of the exchange.",
          unit: "s",
          queries: [
            {
              expr: `histogram_quantile(0.5, sum by (le) (rate(caisson_http_request_duration_seconds_bucket{${at}}${window})))`,
              legend: "p50",
            },
            {
              expr: `histogram_quantile(0.99, sum by (le) (rate(caisson_http_request_duration_seconds_bucket{${at}}${window})))`,
              legend: "p99",
              exemplars: true,
            },
          ],
        },
        {
          title: "Connections to the target",
          description: "Open connections, and those of them that are idle in the pool (at most 4 s).",
          unit: "none",
          queries: [
            {
              expr: `sum by (instance) (caisson_resources_live{${at},kind="local_socket"})`,
              legend: "{{instance}} open",
            },
            {
              expr: `sum by (instance) (caisson_probe_size{${at},probe="client.pool.idle"})`,
              legend: "{{instance}} idle",
            },
          ],
        },
        {
          title: "Traffic",
          description: "Payload: in is from visitors to the target, out the other way.",
          unit: "Bps",
          queries: [
            { expr: `sum by (direction) (rate(caisson_bytes_total{${at}}${window}))`, legend: "{{direction}}" },
          ],
        },
        {
          title: "Bytes that wait",
          description:
            "In memory, for the session. Waiting bytes at a slow uplink are normal and bounded (--max-unsent).",
          unit: "bytes",
          queries: [{ expr: `sum by (instance) (caisson_buffered_bytes{${at}})`, legend: "{{instance}}" }],
        },
        {
          title: "Pauses",
          description: "How often a source was paused because what it feeds was full, by the source's side.",
          unit: "ops",
          queries: [
            {
              expr: `sum by (instance, side) (rate(caisson_backpressure_pauses_total{${at}}${window}))`,
              legend: "{{instance}} {{side}}",
            },
          ],
        },
      ],
    },
    {
      title: "The process",
      panels: [
        {
          title: "CPU",
          description: "Processors used. The event loop is one thread: near 1 it is the bottleneck.",
          unit: "none",
          queries: [{ expr: `rate(process_cpu_seconds_total{${at}}${window})`, legend: "{{instance}}" }],
        },
        {
          title: "Memory",
          description: "Resident memory, and the heap floor after major collections, which alone tells of growth.",
          unit: "bytes",
          queries: [
            { expr: `process_resident_memory_bytes{${at}}`, legend: "{{instance}} resident" },
            { expr: `caisson_heap_floor_bytes{${at}}`, legend: "{{instance}} heap floor" },
          ],
        },
        {
          title: "Event loop",
          description: "How late the event loop was, 99th percentile between two scrapes.",
          unit: "s",
          alarmAt: 0.25,
          queries: [{ expr: `nodejs_eventloop_lag_p99_seconds{${at}}`, legend: "{{instance}}" }],
        },
      ],
    },
  ],
};
