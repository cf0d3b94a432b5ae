// The overview: what an on-call person needs first. Requests, errors and durations, then how full each part is (RED, USE).

import { at, window } from "./dashboard.ts";
import type { DashboardSpec } from "./dashboard.ts";

const requests = `caisson_http_requests_total{${at}}`;
const failed = `caisson_http_requests_total{${at},outcome!~"ok|visitor_abort|no_tunnel|bad_request"}`;
const durations = `caisson_http_request_duration_seconds_bucket{${at}}`;
const firstBytes = `caisson_http_time_to_first_byte_seconds_bucket{${at}}`;

function quantile(of: number, buckets: string): string {
  return `histogram_quantile(${of}, sum by (le) (rate(${buckets}${window})))`;
}

/** Overview. */
export const overview: DashboardSpec = {
  uid: "caisson-overview",
  title: "Caisson: Overview",
  description: "Servers: requests, errors, durations, and how full each part is.",
  subject: 'caisson_probe_size{probe="names.live"}',
  rows: [
    {
      title: "Now",
      panels: [
        {
          title: "Alerts",
          description:
            "Alerts of rules.yml that fire, of all jobs. Each names a section of docs/runbook.md in its annotations. 0 is normal.",
          unit: "none",
          as: "number",
          alarmAt: 1,
          queries: [
            { expr: 'count(ALERTS{alertstate="firing",alertname=~"Caisson.+"}) or vector(0)', legend: "firing" },
          ],
        },
        {
          title: "Servers that answer",
          description: "Servers whose last scrape succeeded.",
          unit: "none",
          as: "number",
          queries: [{ expr: `sum(up{${at}})`, legend: "up" }],
        },
        {
          title: "Tunnels",
          description: "Tunnels that are open, of all types.",
          unit: "none",
          as: "number",
          queries: [{ expr: `sum(caisson_tunnels{${at}})`, legend: "tunnels" }],
        },
        {
          title: "Requests",
          description: "Requests that ended, per second.",
          unit: "reqps",
          as: "number",
          queries: [{ expr: `sum(rate(${requests}${window}))`, legend: "requests" }],
        },
        {
          title: "Error ratio",
          description:
            "Share of requests that a tunnel could not answer, over 5 minutes. Errors that targets answer themselves, visitors who leave, unknown names and malformed requests do not count.",
          unit: "percentunit",
          as: "number",
          alarmAt: 0.05,
          queries: [{ expr: `max(instance:caisson_http_errors:ratio_rate5m{${at}})`, legend: "worst instance" }],
        },
        {
          title: "Retained",
          description:
            "Resources that were closed and that something still refers to. Anything above 0 is a leak: see the dashboard Leaks.",
          unit: "none",
          as: "number",
          alarmAt: 1,
          queries: [{ expr: `sum(caisson_resources_retained{${at}})`, legend: "retained" }],
        },
      ],
    },
    {
      title: "Requests, errors, durations",
      panels: [
        {
          title: "Requests by status",
          description: "Requests that ended, by class of the status that the visitor got.",
          unit: "reqps",
          as: "stack",
          queries: [
            {
              expr: `sum by (class) (label_replace(rate(${requests}${window}), "class", "\${1}xx", "code", "(.).*"))`,
              legend: "{{class}}",
            },
          ],
        },
        {
          title: "Errors by outcome",
          description:
            "Requests that a tunnel could not answer, by the Caisson-Error that visitors were told. target_*: look at the target; client_lost, reconnecting: at the client and its network; overloaded: at the limits; shutdown: this server was stopped.",
          unit: "reqps",
          queries: [{ expr: `sum by (outcome) (rate(${failed}${window}))`, legend: "{{outcome}}" }],
        },
        {
          title: "Request duration",
          description:
            "From the end of the request head to the end of the exchange. Downloads and event streams are long by nature. Points are single requests; where tracing is on they lead to the trace.",
          unit: "s",
          queries: [
            { expr: quantile(0.5, durations), legend: "p50" },
            { expr: quantile(0.9, durations), legend: "p90" },
            { expr: quantile(0.99, durations), legend: "p99", exemplars: true },
          ],
        },
        {
          title: "Time to first byte",
          description:
            "From the end of the request head to the first byte of the answer. The best measure of how fast tunnel and target are; compare with the same panel of the Client dashboard, which knows the target alone.",
          unit: "s",
          queries: [
            { expr: quantile(0.5, firstBytes), legend: "p50" },
            { expr: quantile(0.9, firstBytes), legend: "p90" },
            { expr: quantile(0.99, firstBytes), legend: "p99", exemplars: true },
          ],
        },
        {
          title: "Visitors who left, and unanswerable requests",
          description:
            "Requests that visitors gave up, and those for unknown names. Normal in small numbers; scanners cause no_tunnel.",
          unit: "reqps",
          queries: [
            {
              expr: `sum by (outcome) (rate(caisson_http_requests_total{${at},outcome=~"visitor_abort|no_tunnel|bad_request"}${window}))`,
              legend: "{{outcome}}",
            },
          ],
        },
        {
          title: "Refused and malformed",
          description:
            "What limits turned away (visitors, requests, streams, logins), and requests that were no acceptable HTTP, by reason. docs/limits.md explains each limit.",
          unit: "cps",
          queries: [
            { expr: `sum by (reason) (rate(caisson_refused_total{${at}}${window}))`, legend: "refused {{reason}}" },
            {
              expr: `sum by (reason) (rate(caisson_bad_requests_total{${at}}${window}))`,
              legend: "malformed {{reason}}",
            },
          ],
        },
      ],
    },
    {
      title: "How full: connections, CPU, memory, descriptors",
      panels: [
        {
          title: "Open now",
          description: "What is open, as the containers say at the scrape.",
          unit: "none",
          queries: [
            { expr: `sum(caisson_visitor_connections{${at}})`, legend: "visitors' connections" },
            { expr: `sum(caisson_http_requests_in_flight{${at}})`, legend: "requests in flight" },
            { expr: `sum(caisson_sessions{${at}})`, legend: "sessions" },
            { expr: `sum(caisson_tunnels_reconnecting{${at}})`, legend: "names kept for vanished clients" },
          ],
        },
        {
          title: "CPU",
          description: "Processors used, by instance. The event loop is one thread: near 1 it is the bottleneck.",
          unit: "none",
          queries: [
            { expr: `rate(process_cpu_seconds_total{${at}}${window})`, legend: "{{instance}}" },
            {
              expr: `rate(process_cpu_system_seconds_total{${at}}${window})`,
              legend: "{{instance}}, in the kernel",
            },
          ],
        },
        {
          title: "Event loop",
          description:
            "How late the event loop was (99th percentile between two scrapes), and how busy (0 to 1). Late all the time means that something blocks it.",
          unit: "s",
          alarmAt: 0.25,
          queries: [
            { expr: `nodejs_eventloop_lag_p99_seconds{${at}}`, legend: "{{instance}} p99" },
            { expr: `nodejs_eventloop_lag_p50_seconds{${at}}`, legend: "{{instance}} p50" },
            { expr: `nodejs_eventloop_lag_max_seconds{${at}}`, legend: "{{instance}} longest" },
          ],
        },
        {
          title: "Event loop, busy",
          description: "Share of time in which the event loop had something to do. Above 0.9 requests begin to queue.",
          unit: "percentunit",
          queries: [{ expr: `nodejs_eventloop_utilization_ratio{${at}}`, legend: "{{instance}}" }],
        },
        {
          title: "Memory",
          description:
            "Resident memory, V8's heap, and buffers outside of it. A burst leaves the resident memory high for good; only the heap floor on the dashboard Leaks tells of growth.",
          unit: "bytes",
          queries: [
            { expr: `process_resident_memory_bytes{${at}}`, legend: "{{instance}} resident" },
            { expr: `nodejs_heap_size_used_bytes{${at}}`, legend: "{{instance}} heap used" },
            { expr: `nodejs_heap_size_total_bytes{${at}}`, legend: "{{instance}} heap reserved" },
            { expr: `nodejs_external_memory_bytes{${at}}`, legend: "{{instance}} outside of the heap" },
          ],
        },
        {
          title: "Garbage collection",
          description: "Share of time that collections stopped the process, by kind.",
          unit: "percentunit",
          queries: [
            {
              expr: `sum by (instance, kind) (rate(nodejs_gc_duration_seconds_sum{${at}}${window}))`,
              legend: "{{instance}} {{kind}}",
            },
          ],
        },
        {
          title: "Descriptors in use",
          description:
            "Share of the limit of open file descriptors. At 1 nothing can be opened; raise it in good time.",
          unit: "percentunit",
          alarmAt: 0.8,
          queries: [{ expr: `process_open_fds{${at}} / process_max_fds{${at}}`, legend: "{{instance}}" }],
        },
        {
          title: "Traffic",
          description: "Payload: in is from visitors to targets, out the other way.",
          unit: "Bps",
          queries: [
            { expr: `sum by (direction) (rate(caisson_bytes_total{${at}}${window}))`, legend: "{{direction}}" },
          ],
        },
        {
          title: "Certificates",
          description:
            "Time until the first certificate expires. Below 14 days an alert fires, below 2 a critical one. Empty for servers without TLS.",
          unit: "s",
          queries: [{ expr: `caisson_certificate_expiry_seconds{${at}}`, legend: "{{instance}}" }],
        },
      ],
    },
    {
      title: "Bugs, and what runs",
      panels: [
        {
          title: "Internal faults",
          description:
            "Errors that must not happen, by place. Each is a bug: report it with the log line of the same time.",
          unit: "none",
          queries: [{ expr: `sum by (where) (increase(caisson_faults_total{${at}}${window}))`, legend: "{{where}}" }],
        },
        {
          title: "Spans of traces",
          description:
            "Spans that were sent per second, and those that never arrived, by cause. Empty while tracing is off (--otel).",
          unit: "ops",
          queries: [
            { expr: `sum(rate(caisson_trace_spans_exported_total{${at}}${window}))`, legend: "sent" },
            {
              expr: `sum by (reason) (rate(caisson_trace_spans_dropped_total{${at}}${window}))`,
              legend: "lost: {{reason}}",
            },
          ],
        },
        {
          title: "Uptime",
          description: "Time since the process started.",
          unit: "s",
          queries: [{ expr: `time() - process_start_time_seconds{${at}}`, legend: "{{instance}}" }],
        },
        {
          title: "Versions",
          description: "Instances by version of Caisson and of Node.",
          unit: "none",
          queries: [
            {
              expr: `count by (version, node) (caisson_build_info{${at}})`,
              legend: "caisson {{version}}, Node {{node}}",
            },
          ],
        },
      ],
    },
  ],
};
