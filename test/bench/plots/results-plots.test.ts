// What the plots of the benches draw: the medians of their results, each in its place, and nothing that was not measured.

import assert from "node:assert/strict";
import { test } from "node:test";
import { peersPlots, throughputPlots } from "../../../bench/plots/contest-plots.ts";
import { idlePlots, stormPlots } from "../../../bench/plots/crowd-plots.ts";
import { niceTop } from "../../../bench/plots/frame.ts";
import { groupBarPlot } from "../../../bench/plots/group-bars.ts";

const host = { at: "2026-01-02T03:04:05.678Z", load: 0.5, node: "v20.20.2" };

/** The texts of a plot, in order. */
function textsOf(svg: string | undefined): readonly string[] {
  return [...(svg ?? "").matchAll(/<text[^>]*>([^<]*)<\/text>/gu)].map((match) => match[1] ?? "");
}

/** The widths of the bars of a plot, in order. */
function widthsOf(svg: string | undefined): readonly number[] {
  return [...(svg ?? "").matchAll(/<rect class="b c\d" x="230"[^>]* width="([\d.]+)" height="11"/gu)].map((match) =>
    Number(match[1]),
  );
}

test("bars that lie are as long as their figures, in the colours of the key, and free where nothing was measured", () => {
  const svg = groupBarPlot(
    {
      title: "t",
      x: "MB/s",
      key: [
        { name: "first", colour: 0 },
        { name: "second", colour: 6 },
      ],
    },
    [
      {
        name: "both",
        bars: [
          { value: 10, lower: 5, upper: 10 },
          { value: 5, lower: 5, upper: 5 },
        ],
      },
      { name: "one", bars: [undefined, { value: 2.5, lower: 2, upper: 3 }] },
    ],
  );
  assert.deepEqual(widthsOf(svg), [430, 215, 107.5]);
  assert.match(svg, /<line class="i" x1="445" x2="660"/u);
  assert.equal(svg.match(/class="b c2"/gu)?.length, 3);
  assert.deepEqual(
    textsOf(svg).filter((text) => /[a-z]/u.test(text)),
    ["t", "first", "second", "both", "one", "MB/s"],
  );
  assert.throws(() => groupBarPlot({ title: "t", x: "x", key: [] }, []), RangeError);
});

test("scales end at a round number that nothing exceeds", () => {
  for (const [most, top] of [
    [0, 1],
    [1, 1],
    [1.01, 1.5],
    [53_200, 60_000],
    [0.07, 0.08],
    [9, 10],
    [81, 100],
  ] as const) {
    assert.ok(Math.abs(niceTop([0, most]) - top) < 1e-9, `${most}`);
  }
});

const requests = {
  "GET 110 B, 1 connection": {
    Caisson: [{ requestsPerSecond: 10, cpuUsPerRequest: 100 }],
    direct: [{ requestsPerSecond: 40 }],
  },
  "GET 110 B, 64 connections": {
    Caisson: [30, 10, 20].map((value) => ({ requestsPerSecond: value, cpuUsPerRequest: value })),
    rathole: [{ requestsPerSecond: 25, cpuUsPerRequest: 5 }],
    frp: [{ requestsPerSecond: 15, cpuUsPerRequest: 50 }],
    direct: [{ requestsPerSecond: 40 }],
  },
  "GET 10 KiB, 1 connection": { Caisson: [{ requestsPerSecond: 1 }] },
};

test("throughput: a group for each scenario of 110 B, and no cost of the target itself", () => {
  const plots = throughputPlots({ host, found: { requests } });
  assert.deepEqual(Object.keys(plots), ["throughput-requests.svg", "throughput-cpu.svg"]);
  const rate = textsOf(plots["throughput-requests.svg"]);
  assert.ok(rate.includes("GET 110 B, 1 connection") && rate.includes("GET 110 B, 64 connections"));
  assert.ok(!rate.includes("GET 10 KiB, 1 connection"));
  assert.ok(rate[0]?.includes("2026-01-02, Node v20.20.2, load 0.5"));
  assert.deepEqual(widthsOf(plots["throughput-requests.svg"]), [430, 107.5, 430, 215, 161.3, 268.8]);
  assert.ok(!textsOf(plots["throughput-cpu.svg"]).includes("direct"));
});

test("peers: a group for each that was measured, in the order of the tables", () => {
  const transfers = { upload: { frp: [{ megabytesPerSecond: 1 }] }, download: { frp: [{ megabytesPerSecond: 2 }] } };
  const plots = peersPlots({ host, found: { requests, transfers } });
  assert.deepEqual(Object.keys(plots), ["peers-requests.svg", "peers-cpu.svg", "peers-transfers.svg"]);
  const names = textsOf(plots["peers-cpu.svg"]).filter((text) =>
    ["Caisson", "frp", "rathole", "direct"].includes(text),
  );
  assert.deepEqual(names, ["Caisson", "frp", "rathole"]);
  assert.deepEqual(widthsOf(plots["peers-transfers.svg"]), [215, 430]);
});

test("idle: what a tunnel adds to the server, per contestant", () => {
  const large = { tunnels: 1_000, before: { rss: 50e6 }, collected: { rss: 60e6 } };
  const small = { tunnels: 10, before: { rss: 1e6 }, collected: { rss: 2e6 } };
  const contestants = { caisson: [large, large], other: [small], absent: [] };
  const svg = idlePlots({ host, data: { contestants } })["idle-memory.svg"];
  const texts = textsOf(svg);
  assert.ok(texts.includes("caisson (1000)") && texts.includes("other (10)"));
  assert.ok(!texts.some((text) => text.startsWith("absent")));
  assert.deepEqual(widthsOf(svg), [43, 430]);
});

test("storm: the share of the clients that are back, bounded however many they are", () => {
  const backMs = Array.from({ length: 10_000 }, (_, n) => 1_000 + n);
  const svg = stormPlots({ host, data: { storms: [{ backMs }, { backMs: [500, 1_000] }] } })["storm-back.svg"] ?? "";
  const [many = "", few = ""] = [...svg.matchAll(/points="([^"]*)"/gu)].map((match) => match[1]);
  assert.equal(many.split(" ").length, 102);
  // Half of two are back after 0.5 s of 15 s, all after 1 s.
  assert.equal(few, "70,310 86,310 86,175 102,40");
});
