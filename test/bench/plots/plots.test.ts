// Plots: what they draw, and that those in the documents are those of the kept results.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keptPlots, plotsFolder } from "../../../bench/plots.ts";
import { barPlot, linePlot } from "../../../bench/plots/svg.ts";

const titles = { title: 'a <b> & "c"', x: "seconds", y: "MB" };

test("lines begin at the axes and end at the largest figures", () => {
  const svg = linePlot(titles, [
    {
      name: "one",
      points: [
        { x: 0, y: 0 },
        { x: 10, y: 5 },
      ],
    },
    { name: "two", points: [{ x: 5, y: 2.5 }] },
  ]);
  assert.match(svg, /<polyline class="l c0" points="70,310 550,40"\/>/u);
  assert.match(svg, /<polyline class="l c1" points="310,175"\/>/u);
  assert.match(svg, /a &lt;b> &amp; &quot;c&quot;/u);
  assert.match(svg, /prefers-color-scheme:dark/u);
});

test("bars are as high as their figures, and carry their intervals", () => {
  const svg = barPlot(titles, [{ name: "half", value: 5, lower: 2.5, upper: 10 }]);
  assert.match(svg, /<rect class="b c0" x="166" y="175" width="288" height="135"\/>/u);
  assert.match(svg, /<line class="i" x1="310" x2="310" y1="242.5" y2="40"\/>/u);
  assert.throws(() => barPlot(titles, []), RangeError);
});

test("the plots in the documents are those of the kept results", () => {
  for (const [name, svg] of Object.entries(keptPlots())) {
    assert.equal(readFileSync(join(plotsFolder, name), "utf8"), svg, `${name} is stale: npm run bench:plots`);
  }
});

test("the page about performance shows every plot, and none that is not there", () => {
  const page = readFileSync(join(plotsFolder, "..", "performance.md"), "utf8");
  const shown = new Set([...page.matchAll(/\(performance\/([a-z-]+\.svg)\)/gu)].map((match) => match[1] ?? ""));
  assert.deepEqual(shown, new Set(Object.keys(keptPlots())));
});
