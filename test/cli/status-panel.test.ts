import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import type { OutputStream } from "../../src/cli/output.ts";
import { Output } from "../../src/cli/output.ts";
import { StatusPanel } from "../../src/cli/status-panel.ts";
import { Deadlines } from "../../src/lifecycle/deadlines.ts";
import { noEvents } from "../../src/lifecycle/events.ts";

class FakeTerminal extends EventEmitter implements OutputStream {
  readonly isTTY = true;
  columns = 60;
  rows = 24;
  readonly writes: string[] = [];

  write(text: string): boolean {
    this.writes.push(text);
    return true;
  }
}

interface Rig {
  readonly terminal: FakeTerminal;
  readonly panel: StatusPanel;
  readonly deadlines: Deadlines;
}

function rig(env: Readonly<Record<string, string>> = {}): Rig {
  const terminal = new FakeTerminal();
  const output = new Output({ stdout: terminal, stderr: new FakeTerminal(), env });
  const deadlines = new Deadlines({ events: noEvents, tickMs: 10 });
  const panel = new StatusPanel({ output, deadlines, target: "8000", server: "ws://127.0.0.1:8080" });
  return { terminal, panel, deadlines };
}

const tunnel = {
  name: "demo",
  url: "http://demo.localhost:8080",
  direct: { url: "http://127.0.0.1:8080", host: "demo.localhost:8080" },
  target: "http://localhost:8000",
};

/** Opens every control sequence; nothing else may contain it. */
const escape = "\u001b";

/** The text of the last drawing without its control sequences. */
function shown(terminal: FakeTerminal): string {
  return (terminal.writes.at(-1) ?? "").replaceAll(new RegExp(`${escape}\\[\\d*[A-Zm]`, "gu"), "");
}

test("it shows where the tunnel is and what passes through", () => {
  const { terminal, panel } = rig();
  panel.tunnel(tunnel);
  panel.request({ method: "GET", path: "/a", status: 200, ms: 3 });
  panel.close();
  for (const text of ["online", tunnel.url, "and Host    demo.localhost:8080", "GET /a 200 3 ms", "Requests      1"]) {
    assert.ok(shown(terminal).includes(text), text);
  }
});

test("a thousand events cost a handful of drawings, and the last one is drawn", async () => {
  const { terminal, panel, deadlines } = rig();
  for (let n = 1; n <= 1000; n += 1) panel.request({ method: "GET", path: `/${n}`, status: 200, ms: 1 });
  assert.ok(terminal.writes.length <= 3);
  while (deadlines.armed > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(shown(terminal).includes("/1000 200"));
  panel.close();
  assert.equal(deadlines.size, 0);
  assert.equal(terminal.listenerCount("resize"), 0);
});

test("hostile paths are escaped and no line is wider than the terminal", () => {
  const { terminal, panel } = rig();
  panel.request({ method: "GET", path: `/\u001b[2J\u009b31m${"x".repeat(5000)}`, status: 200, ms: 1 });
  panel.close();
  const text = shown(terminal);
  assert.ok(text.includes(String.raw`/\x1b[2J\x9b31m`));
  for (const line of text.split("\n")) assert.ok(line.length < terminal.columns, line);
});

test("it is never higher than the screen", () => {
  const { terminal, panel } = rig();
  terminal.rows = 8;
  for (let n = 0; n < 20; n += 1) panel.request({ method: "GET", path: "/", status: 200, ms: 1 });
  panel.close();
  assert.ok(shown(terminal).split("\n").length <= 8);
});

test("NO_COLOR leaves no colours", () => {
  for (const [env, colours] of [
    [{}, true],
    [{ NO_COLOR: "1" }, false],
    [{ NO_COLOR: "" }, true],
  ] as const) {
    const { terminal, panel } = rig(env);
    panel.tunnel(tunnel);
    panel.close();
    assert.equal(new RegExp(`${escape}\\[\\d+m`, "u").test(terminal.writes.join("")), colours);
  }
});
