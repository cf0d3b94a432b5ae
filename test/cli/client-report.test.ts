// The plain lines of a client: where each kind of tunnel is reached, with nothing beside it that makes no sense there.

import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { LineReport } from "../../src/cli/client-report.ts";
import type { OutputStream } from "../../src/cli/output.ts";
import { Output } from "../../src/cli/output.ts";

class Lines extends EventEmitter implements OutputStream {
  readonly lines: string[] = [];

  write(text: string): boolean {
    this.lines.push(text.trimEnd());
    return true;
  }
}

test("how a tunnel is reached without DNS depends on its kind", () => {
  for (const [url, directUrl, without] of [
    ["http://a.localhost:8080", "http://127.0.0.1:8080", "http://127.0.0.1:8080 with Host: a.localhost:8080"],
    ["https://a.localhost", "http://127.0.0.1:8080", "http://127.0.0.1:8080 with Host: a.localhost:8080"],
    ["tls://a.localhost:8443", "tls://127.0.0.1:8443", "tls://127.0.0.1:8443 with SNI: a.localhost:8080"],
    ["tcp://localhost:10022", "tcp://127.0.0.1:10022", "tcp://127.0.0.1:10022"],
  ] as const) {
    const stdout = new Lines();
    const output = new Output({ stdout, stderr: new Lines(), env: {} });
    const report = new LineReport(output);
    report.tunnel({ name: "a", url, direct: { url: directUrl, host: "a.localhost:8080" }, target: "localhost:1" });
    output.flush();
    assert.deepEqual(stdout.lines.join("\n").split("\n"), [`${url} -> localhost:1`, `without DNS: ${without}`]);
  }
});
