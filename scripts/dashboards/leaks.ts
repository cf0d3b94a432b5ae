// The leak dashboard: one row per ledger, in the order in which one reasons. What was opened and not closed; what
// containers hold; what the garbage collector could not take; then memory, and what the kernel says.

import { at, window } from "./dashboard.ts";
import type { DashboardSpec } from "./dashboard.ts";
import type { PanelSpec } from "./panel.ts";

const byKind = "{{instance}} {{kind}}";

/** One reading of every kind of resource. */
function kinds(metric: string): string {
  return `sum by (instance, kind) (${metric}{${at}})`;
}

/** What the row of numbers says, before one looks at any plot. */
const answer: readonly PanelSpec[] = [
  {
    title: "Retained",
    description:
      "Closed for longer than the close timeout and 5 s, and not collected by 4 major collections since: something still refers to them. Above 0: runbook, CaissonRetained.",
    unit: "none",
    as: "number",
    alarmAt: 1,
    queries: [{ expr: `sum(caisson_resources_retained{${at}})`, legend: "retained" }],
  },
  {
    title: "Ledgers that disagree",
    description:
      "Kinds of which the containers hold another number than was opened and not closed. Moments are normal under load, minutes are not: runbook, CaissonLedgersDisagree.",
    unit: "none",
    as: "number",
    alarmAt: 1,
    queries: [
      {
        expr: `count(instance_kind:caisson_resources_held_minus_live:difference{${at}} != 0) or vector(0)`,
        legend: "kinds",
      },
    ],
  },
  {
    title: "Lost handles",
    description: "Collected although nobody had closed them, since the start. Above 0: runbook, CaissonHandleLost.",
    unit: "none",
    as: "number",
    alarmAt: 1,
    queries: [{ expr: `sum(caisson_resources_collected_unclosed_total{${at}})`, legend: "lost" }],
  },
  {
    title: "Abandoned operations",
    description: "Asynchronous operations that can never settle any more, since the start. 0 is normal.",
    unit: "none",
    as: "number",
    alarmAt: 1,
    queries: [{ expr: `sum(caisson_operations_abandoned_total{${at}})`, legend: "abandoned" }],
  },
  {
    title: "Must be zero",
    description:
      "Readings that no healthy role has at any moment, such as a tunnel that stands and that no name leads to.",
    unit: "none",
    as: "number",
    alarmAt: 1,
    queries: [{ expr: `sum(caisson_probe_size{${at},probe=~"never\\\\..*"}) or vector(0)`, legend: "readings" }],
  },
  {
    title: "Heap growth per session and hour",
    description:
      "Slope of the heap floor over the last hour, for each live session. Around 0 is normal; right after a start caches fill up.",
    unit: "bytes",
    as: "number",
    queries: [
      {
        expr: `max(instance:caisson_heap_floor_bytes_per_session:deriv1h{${at}}) * 3600`,
        legend: "worst instance",
      },
    ],
  },
];

const events: readonly PanelSpec[] = [
  {
    title: "Live: opened and not closed",
    description:
      "The first ledger. It may follow the traffic; if it only ever grows while traffic does not, something is never closed. The age beside it says since when.",
    unit: "none",
    width: 12,
    queries: [{ expr: kinds("caisson_resources_live"), legend: byKind }],
  },
  {
    title: "Age of the oldest",
    description:
      "Age of the oldest live resource. Sessions and tunnels grow old; an exchange, a stream or a visitor's connection does only with long downloads, event streams and pipes.",
    unit: "s",
    width: 12,
    queries: [{ expr: `max by (instance, kind) (caisson_resource_oldest_age_seconds{${at}})`, legend: byKind }],
  },
  {
    title: "Opened and closed",
    description: "Resources opened per second, and below zero those closed. The two halves mirror each other.",
    unit: "ops",
    width: 12,
    from: "data",
    queries: [
      { expr: `sum by (kind) (rate(caisson_resources_opened_total{${at}}${window}))`, legend: "{{kind}} opened" },
      { expr: `-sum by (kind) (rate(caisson_resources_closed_total{${at}}${window}))`, legend: "{{kind}} closed" },
    ],
  },
  {
    title: "Closed, by reason",
    description:
      "Why resources were closed. A reason that has disappeared since a release is a path that no longer closes.",
    unit: "ops",
    width: 12,
    queries: [
      {
        expr: `sum by (kind, reason) (rate(caisson_resources_closed_total{${at}}${window}))`,
        legend: "{{kind}} {{reason}}",
      },
    ],
  },
];

const containers: readonly PanelSpec[] = [
  {
    title: "Held: what containers have",
    description:
      "The second ledger: the real sizes of the containers at the scrape. Kinds that a role keeps in no container are absent.",
    unit: "none",
    queries: [{ expr: kinds("caisson_resources_held"), legend: byKind }],
  },
  {
    title: "Held minus live",
    description:
      "Above 0: closed, but still in a container. Below 0: open, but no longer in one. Either for minutes is a fault.",
    unit: "none",
    from: "data",
    queries: [{ expr: `instance_kind:caisson_resources_held_minus_live:difference{${at}}`, legend: byKind }],
  },
  {
    title: "Sizes of maps, queues, pools and emitters",
    description:
      "Named containers that hold no resources, and listener counts of long-lived emitters. Each should follow the traffic or stay below its cap.",
    unit: "none",
    queries: [{ expr: `sum by (instance, probe) (caisson_probe_size{${at}})`, legend: "{{instance}} {{probe}}" }],
  },
];

const collector: readonly PanelSpec[] = [
  {
    title: "Uncollected, by kind",
    description:
      "The third ledger: closed, and the garbage collector has not taken it yet. It goes up between collections and comes down with each major one; the low points matter.",
    unit: "none",
    width: 12,
    queries: [{ expr: kinds("caisson_resources_uncollected"), legend: byKind }],
  },
  {
    title: "Retained, by kind",
    description: "Of these, the ones that something refers to for good. 0 is the only normal value.",
    unit: "none",
    width: 12,
    alarmAt: 1,
    queries: [{ expr: kinds("caisson_resources_retained"), legend: byKind }],
  },
  {
    title: "Lost handles and abandoned operations",
    description:
      "The fourth reading: collected but never closed, and operations that can never settle. Every step is a bug, and names its kind.",
    unit: "none",
    width: 12,
    queries: [
      { expr: kinds("caisson_resources_collected_unclosed_total"), legend: byKind },
      {
        expr: `sum by (instance, operation) (caisson_operations_abandoned_total{${at}})`,
        legend: "{{instance}} operation {{operation}}",
      },
    ],
  },
  {
    title: "Collections that a closed resource survives",
    description:
      "Major collections between close and collection, 99th percentile. 1 is normal; more than 3 means that something holds on for a while, such as a timer.",
    unit: "none",
    width: 12,
    queries: [
      {
        expr: `histogram_quantile(0.99, sum by (kind, le) (rate(caisson_collection_delay_major_gcs_bucket{${at}}[1h])))`,
        legend: "{{kind}}",
      },
    ],
  },
];

const memory: readonly PanelSpec[] = [
  {
    title: "Heap floor after major collections",
    description:
      "The lowest heap after the last 8 major collections: what the program really holds. Compare the same traffic twice; growth at constant sessions is a leak of something without a kind (strings, array slots, map keys).",
    unit: "bytes",
    from: "data",
    queries: [{ expr: `caisson_heap_floor_bytes{${at}}`, legend: "{{instance}}" }],
  },
  {
    title: "Heap floor per session",
    description:
      "The floor divided by the sessions. It falls when sessions come and rises when they leave; look at it over days.",
    unit: "bytes",
    queries: [{ expr: `instance:caisson_heap_floor_bytes_per_session:ratio{${at}}`, legend: "{{instance}}" }],
  },
  {
    title: "Slope of the heap floor per session",
    description: "Growth of the floor over the last hour, for each live session. An alert looks at 6 hours.",
    unit: "Bps",
    from: "data",
    queries: [{ expr: `instance:caisson_heap_floor_bytes_per_session:deriv1h{${at}}`, legend: "{{instance}}" }],
  },
  {
    title: "Heap by space",
    description:
      "V8's heap by space, as it is. old grows until the next major collection; large_object holds large arrays and maps.",
    unit: "bytes",
    as: "stack",
    queries: [{ expr: `sum by (space) (nodejs_heap_space_size_used_bytes{${at}})`, legend: "{{space}}" }],
  },
  {
    title: "Outside of the heap",
    description:
      "Buffers, other memory that objects own, and what is resident beyond the heap. Buffers that grow while nothing is buffered are pinned by a view.",
    unit: "bytes",
    queries: [
      { expr: `nodejs_array_buffers_bytes{${at}}`, legend: "{{instance}} buffers" },
      { expr: `nodejs_external_memory_bytes{${at}}`, legend: "{{instance}} external" },
      {
        expr: `process_resident_memory_bytes{${at}} - nodejs_heap_size_total_bytes{${at}}`,
        legend: "{{instance}} resident beyond the heap",
      },
    ],
  },
  {
    title: "Heap snapshots",
    description: "Heap snapshots that were asked for since the start, by trigger and result.",
    unit: "none",
    queries: [
      { expr: `sum by (trigger, result) (caisson_heap_snapshots_total{${at}})`, legend: "{{trigger}} {{result}}" },
    ],
  },
  {
    title: "Stall of heap snapshots",
    description: "How long a snapshot stopped the process, mean. Each one explains a gap in every other panel.",
    unit: "s",
    queries: [
      {
        expr: `sum by (instance) (caisson_heap_snapshot_stall_seconds_sum{${at}}) / (sum by (instance) (caisson_heap_snapshot_stall_seconds_count{${at}}) > 0)`,
        legend: "{{instance}}",
      },
    ],
  },
];

const kernel: readonly PanelSpec[] = [
  {
    title: "Descriptors, by type",
    description: "Open file descriptors as /proc has them, at most 30 s old. Linux only.",
    unit: "none",
    queries: [
      { expr: `sum by (instance, type) (caisson_descriptors{${at}})`, legend: "{{instance}} {{type}}" },
      { expr: `process_open_fds{${at}}`, legend: "{{instance}} all" },
    ],
  },
  {
    title: "TCP sockets, by state",
    description:
      "Own sockets by state, at most 30 s old. close_wait that grows: the peer has ended, and we never closed. Linux only.",
    unit: "none",
    queries: [{ expr: `sum by (instance, state) (caisson_tcp_sockets{${at}})`, legend: "{{instance}} {{state}}" }],
  },
  {
    title: "Listeners and deadlines",
    description: "Listeners on longer-lived emitters and deadlines that are live, and emitters that were counted.",
    unit: "none",
    queries: [
      {
        expr: `sum by (instance, kind) (caisson_resources_live{${at},kind=~"listener|deadline"})`,
        legend: byKind,
      },
      {
        expr: `sum by (instance, probe) (caisson_probe_size{${at},probe=~".*listeners"})`,
        legend: "{{instance}} {{probe}}",
      },
    ],
  },
  {
    title: "What keeps the process alive",
    description: "Node's own list of active handles and requests, by type.",
    unit: "none",
    queries: [{ expr: `sum by (instance, type) (nodejs_active_resources{${at}})`, legend: "{{instance}} {{type}}" }],
  },
];

/** Leaks. */
export const leaks: DashboardSpec = {
  uid: "caisson-leaks",
  title: "Caisson: Leaks",
  description:
    "Every resource is counted three times. Which two disagree names the class of the fault: docs/diagnosing-a-leak.md.",
  subject: "caisson_build_info",
  rows: [
    { title: "The answer", panels: answer },
    { title: "First ledger: what the core opened and closed", panels: events },
    { title: "Second ledger: what containers hold", panels: containers },
    { title: "Third ledger: what the garbage collector could take", panels: collector },
    { title: "Memory: what no ledger has a name for", panels: memory },
    { title: "Handles: what the kernel and Node say", panels: kernel },
  ],
};
