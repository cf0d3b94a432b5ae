// The memory of a bulk transfer through a real tunnel: blocks that carried bytes come back and carry others, whatever
// delimits the body. Counted in blocks, so that no machine's speed matters.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TunnelEvents } from "../../src/lifecycle/events.ts";
import { noEvents } from "../../src/lifecycle/events.ts";
import type { TransferMemory } from "../../src/lifecycle/transfer-memory.ts";
import { Session } from "../../src/mux/session.ts";
import { Rig } from "../support/rig.ts";
import { digestOf, seededDigest, seededStream } from "../support/seeded-bytes.ts";
import { bytesPath, seededTarget } from "../support/seeded-target.ts";
import { visit, visitText } from "../support/visitor.ts";

const bodyBytes = 64 * 1024 * 1024;
/** A read takes at most 128 KiB, so that as many blocks would be made at least if none came back. */
const leastReads = bodyBytes / (128 * 1024);

/** Finds the memory of a role by its session, and the most blocks that ever waited in it while bytes came. */
class MemoryProbe {
  memory: TransferMemory | undefined;
  mostFree = 0;
  readonly events: TunnelEvents = {
    ...noEvents,
    opened: (resource) => {
      if (resource instanceof Session) this.memory = resource._runtime.memory;
    },
    bytes: () => {
      this.mostFree = Math.max(this.mostFree, this.memory?.freeBlocks ?? 0);
    },
  };

  /** The blocks made so far. */
  get made(): number {
    return this.memory?.madeBlocks ?? assert.fail("no session was opened");
  }
}

interface Probed {
  readonly rig: Rig;
  readonly server: MemoryProbe;
  readonly client: MemoryProbe;
}

async function withRig(use: (probed: Probed) => Promise<void>): Promise<void> {
  const server = new MemoryProbe();
  const client = new MemoryProbe();
  const rig = await Rig.start({ target: seededTarget, serverSubscribers: [server.events] });
  await rig.connectAnother({ name: "probed", subscribers: [rig.clientLedger, client.events] });
  try {
    await use({ rig, server, client });
    await rig.quiet();
  } finally {
    await rig.close();
  }
}

/** All but a few of the reads were copied into memory that had been used before. */
function assertUsedAgain(probe: MemoryProbe, whose: string): void {
  assert.ok(probe.mostFree > 0, `${whose}: no block came back`);
  assert.ok(probe.made < leastReads / 4, `${whose}: ${probe.made} blocks were made`);
}

const host = "probed.localhost";

describe("the blocks of a bulk transfer are used again", () => {
  for (const framing of ["length", "chunked"] as const) {
    it(`an upload, ${framing}`, async () => {
      await withRig(async ({ rig, server }) => {
        const known = framing === "length" ? { "content-length": String(bodyBytes) } : {};
        const { body } = await visitText(rig.port, "/", {
          method: "POST",
          headers: { host, ...known },
          body: seededStream(framing, bodyBytes),
        });
        assert.deepEqual(JSON.parse(body), await seededDigest(framing, bodyBytes));
        assertUsedAgain(server, "the server");
      });
    });

    it(`a download, ${framing}`, async () => {
      await withRig(async ({ rig, client }) => {
        const response = await visit(rig.port, bytesPath(framing, bodyBytes, framing), { headers: { host } });
        assert.deepEqual(await digestOf(response), await seededDigest(framing, bodyBytes));
        assertUsedAgain(client, "the client");
      });
    });
  }
});
