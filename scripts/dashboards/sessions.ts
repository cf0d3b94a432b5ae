// Sessions between clients and the server, the streams in them, and how bytes flow: credit, buffers and pauses.

import { at, window } from "./dashboard.ts";
import type { DashboardSpec } from "./dashboard.ts";

/** Sessions and flow control. */
export const sessions: DashboardSpec = {
  uid: "caisson-sessions",
  title: "Caisson: Sessions and flow control",
  description: "Servers: who is connected, how sessions begin and end, and where bytes wait.",
  subject: 'caisson_probe_size{probe="names.live"}',
  rows: [
    {
      title: "Sessions",
      panels: [
        {
          title: "Sessions and tunnels",
          description: "Sessions that are open, and tunnels in them by type.",
          unit: "none",
          queries: [
            { expr: `sum by (instance) (caisson_sessions{${at}})`, legend: "{{instance}} sessions" },
            { expr: `sum by (instance, type) (caisson_tunnels{${at}})`, legend: "{{instance}} {{type}} tunnels" },
          ],
        },
        {
          title: "Logins",
          description: "Logins per second, by result: ok, or why they were refused.",
          unit: "cps",
          queries: [
            { expr: `sum by (result) (rate(caisson_session_connects_total{${at}}${window}))`, legend: "{{result}}" },
          ],
        },
        {
          title: "Ends of sessions",
          description:
            "Sessions that closed, by reason. Many at once without a restart of the server point to the network or to a proxy in between.",
          unit: "cps",
          queries: [
            { expr: `sum by (reason) (rate(caisson_session_closes_total{${at}}${window}))`, legend: "{{reason}}" },
          ],
        },
        {
          title: "How long sessions lasted",
          description: "Of the sessions that closed: median and shortest tenth. Short ones mean that clients flap.",
          unit: "s",
          queries: [
            {
              expr: `histogram_quantile(0.5, sum by (le) (rate(caisson_session_duration_seconds_bucket{${at}}${window})))`,
              legend: "median",
            },
            {
              expr: `histogram_quantile(0.1, sum by (le) (rate(caisson_session_duration_seconds_bucket{${at}}${window})))`,
              legend: "shortest tenth",
            },
          ],
        },
        {
          title: "Names without a session",
          description:
            "Names that are kept for clients that vanished; their visitors get 503 meanwhile. After --name-hold (60 s) a name is free.",
          unit: "none",
          queries: [
            { expr: `sum by (instance) (caisson_tunnels_reconnecting{${at}})`, legend: "{{instance}} names" },
            {
              expr: `sum by (instance) (caisson_probe_size{${at},probe="names.waiting"})`,
              legend: "{{instance}} requests that wait",
            },
          ],
        },
        {
          title: "Protocol violations",
          description:
            "Sessions that were closed because the peer broke the protocol, by rule. A hostile client, or a bug in one of the ends.",
          unit: "cps",
          queries: [
            {
              expr: `sum by (reason) (rate(caisson_protocol_violations_total{${at}}${window}))`,
              legend: "{{reason}}",
            },
          ],
        },
      ],
    },
    {
      title: "Streams and flow control",
      panels: [
        {
          title: "Streams",
          description: "Streams that are open, by what they carry: an HTTP exchange or raw bytes.",
          unit: "none",
          as: "stack",
          queries: [{ expr: `sum by (kind) (caisson_streams{${at}})`, legend: "{{kind}}" }],
        },
        {
          title: "Round trip to clients",
          description:
            "Of the sessions' own pings. It includes what waits in front of them, so it grows with a full uplink. Windows grow with it.",
          unit: "s",
          queries: [
            {
              expr: `histogram_quantile(0.5, sum by (le) (rate(caisson_heartbeat_rtt_seconds_bucket{${at}}${window})))`,
              legend: "p50",
            },
            {
              expr: `histogram_quantile(0.99, sum by (le) (rate(caisson_heartbeat_rtt_seconds_bucket{${at}}${window})))`,
              legend: "p99",
            },
          ],
        },
        {
          title: "Bytes that wait",
          description:
            "In memory, by the side that is to take them. Bounded by --max-window, --session-growth and --total-growth; at the bound new streams are refused.",
          unit: "bytes",
          queries: [
            { expr: `sum by (instance, side) (caisson_buffered_bytes{${at}})`, legend: "{{instance}} {{side}}" },
          ],
        },
        {
          title: "Pauses",
          description:
            "How often a source was paused because what it feeds was full: the visitor's socket, the target's, or the session. Back-pressure at work is normal; it says where the slow part is.",
          unit: "ops",
          queries: [
            { expr: `sum by (side) (rate(caisson_backpressure_pauses_total{${at}}${window}))`, legend: "{{side}}" },
          ],
        },
        {
          title: "Waiting for a place",
          description:
            "Requests that wait for room in a full session (--max-streams), and logins that are in progress.",
          unit: "none",
          queries: [
            {
              expr: `sum by (instance, probe) (caisson_probe_size{${at},probe=~"rooms.waiting|own.pending"})`,
              legend: "{{instance}} {{probe}}",
            },
          ],
        },
        {
          title: "Requests per session",
          description: "Requests per second for each session. It tells a few busy clients from many.",
          unit: "reqps",
          queries: [
            {
              expr: `sum by (instance) (rate(caisson_http_requests_total{${at}}${window})) / (sum by (instance) (caisson_sessions{${at}}) > 0)`,
              legend: "{{instance}}",
            },
          ],
        },
      ],
    },
  ],
};
