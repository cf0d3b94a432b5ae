// Everything that watches one role, built in two steps because the role's events need subscribers before the role is
// there: first the subscribers, then, around the running role, what reads it. Loaded only where it is asked for.

import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import type { AdminAddress } from "../admin/admin-address.ts";
import { AdminListener } from "../admin/admin-listener.ts";
import { loadAdminToken, newAdminToken } from "../admin/admin-token.ts";
import { roleReadings } from "../admin/role-readings.ts";
import type { AdminSubject } from "../admin/subject.ts";
import { Descriptors } from "../leaks/descriptors.ts";
import { GcClock } from "../leaks/gc-clock.ts";
import { GcSchedule } from "../leaks/gc-schedule.ts";
import { HeapFloor } from "../leaks/heap-floor.ts";
import { HeapTrail } from "../leaks/heap-trail.ts";
import { Ledger } from "../leaks/ledger.ts";
import { Operations } from "../leaks/op-scope.ts";
import { ProbeRegistry } from "../leaks/probes.ts";
import { ResourceReporter } from "../leaks/resource-report.ts";
import { takeOnSignal } from "../leaks/snapshot-signal.ts";
import { SnapshotStore } from "../leaks/snapshots.ts";
import type { WatcherOptions } from "../leaks/watcher.ts";
import { CollectionWatcher } from "../leaks/watcher.ts";
import { CaissonError, systemCodeOf } from "../lifecycle/errors.ts";
import type { TunnelEvents } from "../lifecycle/events.ts";
import { noEvents } from "../lifecycle/events.ts";
import type { OperationScope } from "../lifecycle/operation.ts";
import type { Inventory } from "../lifecycle/resource.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import { createScope } from "../lifecycle/runtime.ts";
import type { Scope } from "../lifecycle/scope.ts";
import { Arrivals } from "../observe/arrivals.ts";
import { Metrics } from "../observe/metrics.ts";
import type { SpanExportReading } from "../observe/readings.ts";
import type { Tracing } from "../observe/tracing.ts";
import type { AdminOptions } from "./admin-options.ts";
import { parseAdminAddress } from "./admin-options.ts";
import type { ObservedRole } from "./observed-role.ts";
import { RoleObservers } from "./role-observers.ts";
import { version } from "./version.ts";

/** What an observatory is made of. */
export interface ObservatoryOptions {
  readonly admin: AdminOptions;
  /** After this time a closed session may no longer be referred to: ws's close timeout. Milliseconds. */
  readonly closeTimeoutMs: number;
  /** Makes spans of what is found; undefined without tracing. */
  readonly spans?: Tracing | undefined;
  /** What became of the spans, if that is known. */
  readonly spanExports?: SpanExportReading | undefined;
}

/** Room that a closed resource is given beyond ws's close timeout, in milliseconds. */
const graceBeyondCloseMs = 5_000;

/** The observers of one role. */
export class Observatory {
  readonly ledger: Ledger = new Ledger();
  readonly watcher: CollectionWatcher;
  readonly metrics: Metrics;
  readonly arrivals: Arrivals = new Arrivals();
  readonly #options: ObservatoryOptions;
  readonly #clock: GcClock = new GcClock();
  readonly #operations: Operations = new Operations();
  readonly #heapFloor: HeapFloor;
  readonly #heapTrail: HeapTrail;
  readonly #descriptors: Descriptors = new Descriptors();
  readonly #probes: ProbeRegistry = new ProbeRegistry();
  readonly #reporter: ResourceReporter;
  /** The role's own, once there is one to be watched. */
  #events: TunnelEvents = noEvents;
  #role: ObservedRole | undefined;
  #snapshots: SnapshotStore | undefined;
  #listener: AdminListener | undefined;
  #scope: Scope | undefined;

  /** Makes the subscribers. Until {@link watch} they count, and nothing is read. */
  constructor(options: ObservatoryOptions) {
    this.#options = options;
    this.#heapFloor = new HeapFloor(this.#clock);
    this.#heapTrail = new HeapTrail(this.#clock);
    const { watchAll, sampleOneIn } = options.admin;
    const watcherOptions: WatcherOptions = {
      clock: this.#clock,
      graceMs: options.closeTimeoutMs + graceBeyondCloseMs,
      watchAll: watchAll ?? false,
      onRetained: (found) => options.spans?.notable.leakReported(found),
      ...(sampleOneIn === undefined ? {} : { sampling: samplingOf(sampleOneIn) }),
    };
    this.watcher = new CollectionWatcher(watcherOptions);
    const parts = {
      ledger: this.ledger,
      watcher: this.watcher,
      clock: this.#clock,
      inventory: () => this.#inventory(),
      probes: this.#probes,
      operations: this.#operations,
      heapFloor: this.#heapFloor,
      descriptors: this.#descriptors,
    };
    this.#reporter = new ResourceReporter(parts);
    const readings = roleReadings({
      ...parts,
      reporter: this.#reporter,
      spanExports: options.spanExports,
      snapshots: () => this.#snapshots,
      tunnelTypes: () => this.#role?.tunnelTypes() ?? { http: 0, tcp: 0, tls: 0 },
      bufferedBytes: (inventory) => this.#role?.bufferedBytes(inventory) ?? {},
      certificateExpirySeconds: () => this.#role?.certificateExpirySeconds(),
    });
    this.metrics = new Metrics({ version, readings, onFault: (error) => this.#events.faulted("metrics", error) });
  }

  /** To be given to the role's events. */
  get subscribers(): readonly TunnelEvents[] {
    return [new RoleObservers(this)];
  }

  /** Follows the role's asynchronous operations. */
  get operations(): OperationScope {
    return this.#operations;
  }

  /** Where the private listener listens, once it does: `http://127.0.0.1:9190` or `unix:/path`. */
  get url(): string {
    return this.#listener?.url ?? "";
  }

  /** The port of the private listener; undefined for a unix socket. */
  get port(): number | undefined {
    const address = this.#listener?.address;
    return address && "port" in address ? address.port : undefined;
  }

  /** The live page's URL with a code that signs in once. */
  signedInUrl(): string {
    return this.#listener?.signedInUrl() ?? "";
  }

  /** Begins to read the role, and opens the private listener. Throws E_CONFIG or E_LISTEN. */
  async watch(role: ObservedRole, runtime: Runtime): Promise<void> {
    const { admin } = this.#options;
    this.#role = role;
    this.#events = runtime.events;
    const scope = createScope(runtime, "observatory");
    this.#scope = scope;
    const schedule = new GcSchedule({
      clock: this.#clock,
      deadlines: runtime.deadlines,
      events: runtime.events,
      subjects: [this.watcher, this.#operations],
    });
    scope.own(schedule, () => schedule.dispose());
    const snapshots = new SnapshotStore({
      folder: admin.snapshotFolder ?? defaultSnapshotFolder(role.role),
      events: runtime.events,
      deadlines: runtime.deadlines,
      operations: this.#operations,
      beforeStall: (expectedMs) => role.announcePause(expectedMs),
      ...(admin.onSnapshot === undefined ? {} : { onResult: admin.onSnapshot }),
    });
    this.#snapshots = snapshots;
    scope.own(snapshots, () => snapshots.dispose());
    void snapshots.sweep();
    scope.own(
      this.#probes.add("snapshots.known", () => snapshots.known),
      (remove) => remove(),
    );
    // Shared with the whole process: what signals and exits are heard by stays for as long as that runs.
    scope.own(this.#probes.watch("process.listeners", process), (remove) => remove());
    if (admin.snapshotOnSignal === true) takeOnSignal(snapshots, { scope, events: runtime.events });
    await this.#listen(role, runtime);
  }

  /** Closes the listener and lets go of everything. Last in a shutdown, so that the final ledgers can still be read. */
  async close(): Promise<void> {
    this.#scope?.close("closed");
    await this.#listener?.close();
    await this.#snapshots?.idle();
    this.#role = undefined;
    this.#probes.dispose();
    this.metrics.dispose();
    this.watcher.dispose();
    this.#heapFloor.dispose();
    this.#heapTrail.dispose();
    this.#operations.dispose();
    this.#clock.dispose();
    await this.#descriptors.dispose();
  }

  async #listen(role: ObservedRole, runtime: Runtime): Promise<void> {
    const { admin } = this.#options;
    const address: AdminAddress = parseAdminAddress(admin.listen);
    const token = admin.tokenFile === undefined ? newAdminToken() : await loadAdminToken(admin.tokenFile);
    admin.onToken?.(token);
    const open = async (at: AdminAddress): Promise<AdminListener> => {
      const listener = new AdminListener({
        address: at,
        token,
        subject: this.#subject(role),
        hosts: admin.hosts ?? [],
        onFault: (error) => runtime.events.faulted("admin", error),
        onGuess: () => runtime.events.refused("admin_token"),
      });
      await listener.listen();
      return listener;
    };
    try {
      this.#listener = await open(address);
    } catch (error) {
      if (admin.orAnyPort !== true || !("host" in address) || !isTaken(error)) throw error;
      this.#listener = await open({ host: address.host, port: 0 });
    }
  }

  #subject(role: ObservedRole): AdminSubject {
    const { log } = this.#options.admin;
    return {
      role: role.role,
      version,
      unreadiness: () => role.unreadiness(),
      metrics: (format) => this.metrics.render(format),
      resources: () => this.#reporter.report(),
      freshDescriptors: () => this.#descriptors.fresh(),
      tunnels: () => role.tunnels(),
      closeTunnel: (name) => role.closeTunnel(name),
      collectGarbage: () => this.#clock.force(),
      snapshots: this.#snapshots,
      log,
      live: {
        traffic: this.metrics,
        heapTrail: this.#heapTrail,
        arrivals: this.arrivals,
        retained: (limit) => this.watcher.retained(limit),
      },
    };
  }

  /** The role's containers, and the observers' own snapshot. */
  #inventory(): Inventory {
    const { held, probes } = this.#role?.inventory() ?? { held: {}, probes: {} };
    return { held: { ...held, snapshot: this.#snapshots?.held ?? 0 }, probes };
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof CaissonError && systemCodeOf(error.cause) === "EADDRINUSE";
}

/** The kinds that come with every exchange are sampled; the rest is watched without exception. */
function samplingOf(oneIn: number): NonNullable<WatcherOptions["sampling"]> {
  return { stream: oneIn, exchange: oneIn, deadline: oneIn, listener: oneIn, span: oneIn };
}

/** One for each role: a process with both would otherwise keep half as many of each. */
function defaultSnapshotFolder(role: ObservedRole["role"]): string {
  const state = process.env["XDG_STATE_HOME"] ?? join(homedir() || tmpdir(), ".local", "state");
  return join(state, "caisson", "snapshots", role);
}
