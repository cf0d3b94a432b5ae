// A finished run for the tests of reports: samples as a server gives them, with and without a leak. It measures nothing.

import type { GateReport, RunFacts } from "../../../bench/gate/reports/run-facts.ts";
import { SeededRandom } from "../../../bench/gate/seeded-random.ts";
import type { Sample } from "../../../bench/gate/verdict/sample.ts";
import { judge } from "../../../bench/gate/verdict/verdict.ts";
import { arrayBytes, gaussian, kind, memory, run, usual } from "../verdict/synthetic.ts";

/** Facts of a made-up run. */
export const facts: RunFacts = {
  version: "0.1.0",
  commit: "0123456789abcdef0123456789abcdef01234567",
  subject: "its own server",
  node: "v24.1.0",
  host: { platform: "linux", arch: "x64", cpus: 2, cpuModel: "Example CPU", memory: 8_589_934_592 },
  seed: 7,
  mode: "quiet",
  flags: ["--no-opt", "--no-sparkplug"],
  startedAt: "2026-01-02T03:04:05.678Z",
  elapsedMs: 93_400,
  scenarios: [
    { name: "clean", title: "Clients connect and leave", rounds: 20, connections: 2000, requests: 4000 },
    { name: "kill", title: "Client processes are killed", rounds: 20, connections: 2000, requests: 4000 },
  ],
  undecided: "fail",
  command: "caisson gate --seed 7",
};

/** A run whose outcome is as asked; the subjects of a leak hold what breaks careless markup. */
export function sampleReport(outcome: "clean" | "leak" | "undecided", changes: Partial<RunFacts> = {}): GateReport {
  const samples = samplesOf(outcome);
  return { samples, verdict: judge(samples, { nodeMajor: 24, final: true }), facts: { ...facts, ...changes } };
}

function samplesOf(outcome: string): Sample[] {
  const random = new SeededRandom(4);
  const leaks = outcome === "leak";
  const deviation = outcome === "undecided" ? 60_000 : 700;
  return run(usual, (connections, round) => {
    const noise = Math.round(deviation * gaussian(random));
    const kept = leaks ? arrayBytes(connections) + 40 * connections : 0;
    const used = memory(kept + noise + Math.round(120_000 * Math.exp(-round / 2)) * -1);
    const session = kind({ opened: connections, closed: connections, held: leaks ? connections : 0 });
    return {
      kinds: { session, tunnel: kind({}), stream: kind({ uncollected: round % 4 }), exchange: kind({}) },
      probes: { "server.names": leaks ? connections : 0, "server.cache": Math.min(1200, connections) },
      handles: { TCPServerWrap: 2, Timeout: round % 3 },
      fds: { socket: 4 + (round % 5), pipe: 3 },
      tcp: { inuse: 20 + (round % 7), mem: 4 },
      objects: { Session: 0, Map: 210, [leaks ? '<img src=x>&"|`' : "Set"]: leaks ? Math.floor(connections / 100) : 4 },
      memory: {
        ...used,
        heapSpaces: { old_space: used.heapUsed - 2_000_000, code_space: 500_000, new_space: 1_500_000 },
        rss: 90_000_000 + Math.round(400_000 * Math.abs(gaussian(random))),
      },
      operations: {},
      series: 340,
      scrapeBytes: 48_000 + round * 3,
    };
  });
}
