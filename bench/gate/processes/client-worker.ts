// A process that hosts many tunnel clients, as its parent says. It counts what it did and checks that each client got the
// name that it asked for.

import type { CaissonTunnel } from "../../../src/index.ts";
import { connect } from "../../../src/index.ts";
import { Relay } from "../network/relay.ts";
import { answerOrders, inParallel } from "./answer-orders.ts";
import { ClientLedgers } from "./client-ledgers.ts";
import type { ClientOrder } from "./client-orders.ts";
import { MemoryKeyring } from "./memory-keyring.ts";
import type { Counts } from "./orders.ts";

/** Connects and closes in flight at once. */
const atOnce = 16;
/** How long a client may take to stand again after its connection was reset, in milliseconds. */
const standAgainMs = 20_000;
/** How long a client that was replaced may take to end, in milliseconds. */
const replacedMs = 5_000;

const clients = new Map<string, CaissonTunnel>();
const relays = new Map<string, Relay>();
const keys = new MemoryKeyring();
const ledgers = new ClientLedgers();

/** Short, so that nothing of a client outlives the round it was made in. */
const limits = { closeTimeoutMs: 1_000, drainMs: 2_000, firstConnectMs: 15_000, stableMs: 100 };

async function carryOut(order: ClientOrder): Promise<Counts> {
  switch (order.do) {
    case "connect": {
      const { names, perSecond } = order;
      const server = order.relay === undefined ? order.server : await throughRelay(order.relay, order.server);
      const connectOne = async (name: string): Promise<void> => {
        clients.set(name, await connectAs(name, { ...order, server }));
      };
      await inParallel(names, connectOne, { atOnce, ...(perSecond !== undefined && { perSecond }) });
      return { connected: names.length };
    }
    case "disconnect":
      await inParallel(order.names, (name) => disconnect(name, { force: order.force }), { atOnce });
      return { disconnected: order.names.length };
    case "takeOver":
      await inParallel(order.names, (name) => takeOver(name, order), { atOnce });
      return { replaced: order.names.length };
    case "storm":
      return storm(order.relay, order.names);
    case "freeze":
      return freeze(order.relay, order.names);
    case "disconnectAll": {
      const names = [...clients.keys()].filter((name) => !order.but.includes(name));
      await inParallel(names, (name) => disconnect(name, { force: true }), { atOnce });
      return { disconnected: names.length };
    }
    case "ledgers":
      return ledgers.counts([...clients.values()].map((tunnel) => tunnel.inventory()));
    default:
      throw new Error(`unknown order: ${JSON.stringify(order satisfies never)}`);
  }
}

/** Where a client logs in, with what, and where it leads visitors to. */
interface Place {
  readonly server: string;
  readonly token?: string;
  readonly target: string;
}

async function connectAs(name: string, { server, token, target }: Place): Promise<CaissonTunnel> {
  const tunnel = await connect({
    server,
    target,
    name,
    limits,
    keyring: keys,
    subscribers: ledgers.subscribers,
    // Whoever started the run was asked whether the token may go there.
    ...(token !== undefined && { token, plaintext: true }),
  });
  if (tunnel.name === name) return tunnel;
  await tunnel.close({ force: true });
  throw new Error(`asked for the name ${name} and got ${tunnel.name}`);
}

async function disconnect(name: string, options: { readonly force: boolean }): Promise<void> {
  const tunnel = take(name);
  keys.forget(name);
  await tunnel.close(options);
}

async function takeOver(name: string, place: Place): Promise<void> {
  const older = take(name);
  try {
    clients.set(name, await connectAs(name, place));
  } catch (error) {
    // Nobody could name it any more.
    await older.close({ force: true });
    throw error;
  }
  const ended = await endOf(older);
  if (ended === "E_REPLACED") return;
  await older.close({ force: true });
  throw new Error(`the older client of ${name} ended with ${ended} instead of E_REPLACED`);
}

/** What a tunnel ended with, or that it did not in time. Leaves no timer behind: this process is counted, too. */
async function endOf({ closed }: CaissonTunnel): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`nothing within ${replacedMs} ms`), replacedMs);
  });
  try {
    return await Promise.race([closed.then((error) => error?.code ?? "nothing"), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

async function storm(id: string, names: readonly string[]): Promise<Counts> {
  // All of them listen before the first connection is cut.
  const again = inParallel(names, standsAgain, { atOnce: names.length });
  relays.get(id)?.cut();
  await again;
  return { standing: names.length };
}

/** Leaves neither a timer nor a listener behind, whatever comes of it: this process is counted, too. */
async function standsAgain(name: string): Promise<void> {
  const tunnel = clients.get(name);
  if (!tunnel) throw new Error(`there is no client ${name}`);
  let timer: NodeJS.Timeout | undefined;
  let onTunnel = (_facts: { readonly name: string }): void => undefined;
  const back = new Promise<string>((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} did not come back`)), standAgainMs);
    onTunnel = (facts) => resolve(facts.name);
    tunnel.on("tunnel", onTunnel);
  });
  try {
    const now = await back;
    if (now !== name) throw new Error(`${name} came back as ${now}`);
  } finally {
    clearTimeout(timer);
    tunnel.off("tunnel", onTunnel);
  }
}

async function freeze(id: string, names: readonly string[]): Promise<Counts> {
  relays.get(id)?.freeze();
  // Their ends of the dead links are of no more use; the relay keeps the server's ends open, as a lost network does.
  await inParallel(names, (name) => disconnect(name, { force: true }), { atOnce });
  return { frozen: names.length };
}

async function throughRelay(id: string, server: string): Promise<string> {
  let relay = relays.get(id);
  if (!relay) {
    const { hostname, port } = new URL(server);
    relay = await Relay.start({ host: hostname.replaceAll(/[[\]]/gu, ""), port: port === "" ? 80 : Number(port) });
    relays.set(id, relay);
  }
  return `ws://127.0.0.1:${relay.port}`;
}

function take(name: string): CaissonTunnel {
  const tunnel = clients.get(name);
  if (!tunnel) throw new Error(`there is no client ${name}`);
  clients.delete(name);
  return tunnel;
}

answerOrders(carryOut);
