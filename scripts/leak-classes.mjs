// What: seeds one kind of leak, four times among 400 sessions of a small TCP server, and prints what the ledgers say of it.
// When: to learn what each disagreement looks like, or to renew the output in docs/diagnosing-a-leak.md.
// Example: npm run build && node scripts/leak-classes.mjs referred-to        (without a name: lists the names)

import { EventEmitter, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Descriptors } from "../dist/src/leaks/descriptors.js";
import { GcClock } from "../dist/src/leaks/gc-clock.js";
import { floorWindow, HeapFloor } from "../dist/src/leaks/heap-floor.js";
import { Ledger } from "../dist/src/leaks/ledger.js";
import { Operations } from "../dist/src/leaks/op-scope.js";
import { ProbeRegistry } from "../dist/src/leaks/probes.js";
import { ResourceReporter } from "../dist/src/leaks/resource-report.js";
import { SnapshotStore } from "../dist/src/leaks/snapshots.js";
import { CollectionWatcher } from "../dist/src/leaks/watcher.js";
import { Deadlines } from "../dist/src/lifecycle/deadlines.js";
import { fanout } from "../dist/src/lifecycle/fanout.js";
import { retainingPath } from "./retaining-path.mjs";

/** What the leaks leak into. */
const bus = new EventEmitter().setMaxListeners(0);
const slots = [];
const pinned = [];

/** A session is one connection: opened on accept, in the container until it is closed, closed when the peer ends. */
class DemoSession {
  constructor(socket) {
    this.kind = "session";
    this.openedAtMs = performance.now();
    this.socket = socket;
  }

  end() {
    this.socket.end();
  }
}

/** Each fault gets what a close is made of, and leaves a part out. */
const faults = {
  none: ({ remove, end, closed }) => [remove(), end(), closed()],
  "never-closed": () => {},
  "not-removed": ({ end, closed }) => [end(), closed()],
  "referred-to": ({ session, remove, end, closed }) => {
    bus.on("reload", function onReload() {
      session.end();
    });
    remove();
    end();
    closed();
  },
  "handle-lost": ({ remove, end }) => [remove(), end()],
  "socket-left": ({ remove, closed }) => [remove(), closed()],
  "never-settles": ({ operations, remove, end, closed }) => {
    void operations.run("drain", async () => {
      await new Promise(() => {});
      remove();
    });
    remove();
    end();
    closed();
  },
  "buffer-pinned": ({ chunk, remove, end, closed }) => {
    pinned.push(chunk.subarray(0, 8));
    remove();
    end();
    closed();
  },
  "slot-kept": ({ remove, end, closed }) => {
    for (let n = 0; n < 50_000; n += 1) slots.push(n);
    remove();
    end();
    closed();
  },
};

const [name = ""] = process.argv.slice(2);
const fault = faults[name];
if (fault === undefined) {
  console.error(`Usage: node scripts/leak-classes.mjs ${Object.keys(faults).join(" | ")}`);
  process.exit(2);
}

const clock = new GcClock();
const ledger = new Ledger();
// No grace: here nothing may rightly refer to a closed session, as ws does for 30 s.
const watcher = new CollectionWatcher({ clock, graceMs: 0 });
const events = fanout(ledger, watcher);
const deadlines = new Deadlines({ events });
const sessions = new Map();
const probes = new ProbeRegistry();
const operations = new Operations();
const descriptors = new Descriptors();
const heapFloor = new HeapFloor(clock);
probes.watch("bus.listeners", bus);
const inventory = () => ({ held: { session: sessions.size, deadline: deadlines.size }, probes: {} });
const reporter = new ResourceReporter({
  ledger,
  watcher,
  clock,
  inventory,
  probes,
  operations,
  heapFloor,
  descriptors,
});
const folder = await mkdtemp(join(tmpdir(), "caisson-leak-"));
const store = new SnapshotStore({ folder, events, deadlines });

let accepted = 0;
const server = createServer({ allowHalfOpen: true }, (socket) => accept(socket, (accepted += 1)));
server.listen(0, "127.0.0.1");
await once(server, "listening");

// What the first connections allocate once is no growth.
const warmUp = 400;
for (let n = 0; n < warmUp; n += 1) await visit();
await settle();
const before = reporter.report();
for (let n = 0; n < 400; n += 1) await visit();
await settle();
const after = reporter.report();
print();
if (watcher.reading("session").retained > 0) await printPath();

store.dispose();
for (const part of [watcher, heapFloor, operations, clock]) part.dispose();
await descriptors.dispose();
await rm(folder, { recursive: true });
// The leaked sockets would keep the process alive.
process.exit(0);

function accept(socket, number) {
  const session = new DemoSession(socket);
  events.opened(session);
  sessions.set(number, session);
  let chunk = Buffer.alloc(0);
  socket.on("data", (data) => {
    chunk = data;
  });
  socket.on("end", () => {
    const parts = {
      session,
      chunk,
      operations,
      remove: () => sessions.delete(number),
      end: () => session.end(),
      closed: () => events.closed(session, "peer_ended"),
    };
    if (number > warmUp && number % 100 === 50) fault(parts);
    else faults.none(parts);
  });
}

async function visit() {
  const visitor = connect(server.address().port, "127.0.0.1");
  visitor.resume().end(Buffer.alloc(65_536));
  await once(visitor, "finish");
  await new Promise((resolve) => setTimeout(resolve, 2));
}

async function settle() {
  for (let n = 0; n < floorWindow; n += 1) await clock.force();
  await descriptors.sample();
}

function print() {
  const { closedBy: _, watchedOneIn: __, ...session } = after.kinds.session;
  const changed = (part) => (after.memory[part] ?? 0) - (before.memory[part] ?? 0);
  const lines = {
    session: {
      ...session,
      opened: session.opened - warmUp,
      closed: session.closed - warmUp,
      oldestSeconds: Math.round(session.oldestSeconds),
    },
    probes: after.probes,
    operations: after.operations,
    "fds.types.socket": (after.fds?.types.socket ?? 0) - (before.fds?.types.socket ?? 0),
    "fds.tcp": after.fds?.tcp,
    "memory.heapFloor": `${changed("heapFloor").toLocaleString("en")} more`,
    "memory.arrayBuffers": `${changed("arrayBuffers").toLocaleString("en")} more`,
  };
  for (const [label, value] of Object.entries(lines)) console.log(`${label.padEnd(20)}${JSON.stringify(value)}`);
}

async function printPath() {
  const [first] = watcher.retained(1);
  const taken = await store.take({ trigger: "program" });
  if (first === undefined || !taken.ok) throw new Error("no snapshot was taken");
  console.log(`\nwhat refers to ${first.label}:`);
  for (const step of retainingPath(join(folder, `${taken.entry.id}.heapsnapshot`), first.label))
    console.log(`  ${step}`);
}
