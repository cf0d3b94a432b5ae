// The client's status on a terminal, redrawn in place. Draws on events only, at most ten times a second, never wider
// than the terminal, with everything from elsewhere escaped; colours only where they are wanted.

import type { Deadline, Deadlines } from "../lifecycle/deadlines.ts";
import type { Disconnection } from "../client/observer.ts";
import type { ClientReporter, FinishedRequest, StandingTunnel } from "./client-report.ts";
import { hostWord, requestLine, stoppingText } from "./client-report.ts";
import type { Output } from "./output.ts";
import { formatMs } from "./quantities.ts";
import { safeText } from "./safe-text.ts";

/** The least time between two drawings, in milliseconds. */
export const redrawMs = 100;
/** How many of the last requests are listed. */
const listed = 10;

type Style = "bold" | "dim" | "green" | "yellow" | "red";

const styleCodes: Readonly<Record<Style, number>> = { bold: 1, dim: 2, green: 32, yellow: 33, red: 31 };

/** A line of the panel: parts with their styles, so that it can be cut to the width before colours are added. */
type Line = readonly (readonly [text: string, style?: Style])[];

/** Options of {@link StatusPanel}. */
export interface StatusPanelOptions {
  readonly output: Output;
  readonly deadlines: Deadlines;
  readonly target: string;
  readonly server: string;
}

/** The panel of one client. */
export class StatusPanel implements ClientReporter {
  readonly #output: Output;
  readonly #target: string;
  readonly #server: string;
  readonly #redraw: Deadline;
  /** By the server's address: each server has one tunnel of this client, whatever it is called. */
  readonly #tunnels = new Map<string, StandingTunnel>();
  readonly #recent: FinishedRequest[] = [];
  #status: Line = [["connecting", "yellow"]];
  #requests = 0;
  #drawnLines = 0;
  #drawnAtMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  /** Draws itself at once. {@link close} leaves the last drawing on the screen. */
  constructor(options: StatusPanelOptions) {
    this.#output = options.output;
    this.#target = options.target;
    this.#server = options.server;
    this.#redraw = options.deadlines.create(this.#draw);
    this.#output.stdout.on("resize", this.#draw);
    this.#draw();
  }

  tunnel(facts: StandingTunnel): void {
    this.#tunnels.set(facts.direct.url, facts);
    this.#status = [["online", "green"]];
    this.#changed();
  }

  request(facts: FinishedRequest): void {
    this.#requests += 1;
    this.#recent.push(facts);
    if (this.#recent.length > listed) this.#recent.shift();
    this.#changed();
  }

  disconnected({ message, retryMs }: Disconnection): void {
    const next = retryMs > 0 ? `, next attempt in ${formatMs(retryMs)}` : "";
    this.#status = [["disconnected", "red"], [`${next}: ${message}`]];
    this.#changed();
  }

  notice(text: string): void {
    this.#status = [[text, "yellow"]];
    this.#changed();
  }

  stopping(): void {
    this.#status = [[stoppingText, "yellow"]];
    this.#changed();
  }

  close(): void {
    if (this.#closed) return;
    this.#draw();
    this.#closed = true;
    this.#output.stdout.off("resize", this.#draw);
    this.#redraw.dispose("closed");
  }

  #changed(): void {
    if (this.#closed || this.#redraw.armed) return;
    const sinceMs = performance.now() - this.#drawnAtMs;
    if (sinceMs >= redrawMs) this.#draw();
    else this.#redraw.arm(redrawMs - sinceMs);
  }

  readonly #draw = (): void => {
    if (this.#closed) return;
    this.#drawnAtMs = performance.now();
    const columns = Math.max(20, this.#output.stdout.columns ?? 80);
    // A panel higher than the screen could not be redrawn in place: its end (the oldest requests) is left out.
    const rows = Math.max(4, (this.#output.stdout.rows ?? 24) - 1);
    const lines = this.#lines().slice(0, rows);
    const up = this.#drawnLines > 0 ? `\u001b[${this.#drawnLines}A` : "";
    const text = lines.map((line) => `${this.#render(line, columns)}\u001b[K\n`).join("");
    this.#output.raw(`${up}\r${text}\u001b[J`);
    this.#drawnLines = lines.length;
  };

  #lines(): Line[] {
    const lines: Line[] = [
      [
        ["caisson", "bold"],
        ["  Ctrl-C ends it", "dim"],
      ],
      row("Status", ...this.#status),
      row("Server", [this.#server]),
      row("Target", [this.#target]),
    ];
    for (const { url, direct } of this.#tunnels.values()) {
      lines.push(row("Public URL", [url, "bold"]), row("without DNS", [direct.url]));
      const word = hostWord(direct.url);
      if (word !== undefined) lines.push(row(`  and ${word}`, [direct.host]));
    }
    lines.push(row("Requests", [String(this.#requests)]), []);
    for (const facts of this.#recent.toReversed()) lines.push([[requestLine(facts), styleOf(facts.status)]]);
    return lines;
  }

  #render(line: Line, columns: number): string {
    let room = columns - 1;
    let text = "";
    for (const [part, style] of line) {
      const cut = cutTo(safeText(part), room);
      room -= cut.length;
      text += style !== undefined && this.#output.colours ? `\u001b[${styleCodes[style]}m${cut}\u001b[0m` : cut;
    }
    return text;
  }
}

function row(label: string, ...parts: Line): Line {
  return [[label.padEnd(14), "dim"], ...parts];
}

function styleOf(status: number): Style {
  if (status === 0 || status >= 500) return "red";
  return status >= 400 ? "yellow" : "green";
}

/** Cut by UTF-16 units: what is shown is ASCII, save for text that somebody else made odd. */
function cutTo(text: string, units: number): string {
  if (text.length <= units) return text;
  return units <= 0 ? "" : `${text.slice(0, units - 1)}…`;
}
