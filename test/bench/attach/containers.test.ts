// The reading of container sizes, on objects of this process: how they are named, and that nothing of theirs is called.

import assert from "node:assert/strict";
import { test } from "node:test";
import { facts } from "../../../bench/gate/attach/target-functions.ts";
import { containers } from "../../../bench/gate/readings/containers.ts";

class Guest {
  readonly number = 1;
}

class Registry {
  static readonly byName: Map<string, Guest> = new Map();
  readonly connections: Guest[];
  readonly #hidden: Set<Guest>;

  constructor(connections: Guest[], hidden: Set<Guest>) {
    this.connections = connections;
    this.#hidden = hidden;
  }

  get hidden(): Set<Guest> {
    return this.#hidden;
  }
}

const guests = (count: number): Guest[] => Array.from({ length: count }, () => new Guest());

test("containers are named by the property that holds them, or by what is in them", () => {
  const registry = new Registry(guests(100), new Set(guests(101)));
  for (let n = 0; n < 102; n += 1) Registry.byName.set(String(n), new Guest());
  const table = Object.fromEntries(guests(103).map((guest, at) => [`key${at}`, guest]));
  const loose = guests(104);
  const alone = Array.from({ length: 105 }, () => 0);
  const found = containers([
    registry,
    Registry,
    registry.connections,
    registry.hidden,
    Registry.byName,
    table,
    { table },
    loose,
    alone,
    guests(3),
  ]);
  assert.deepEqual(found, {
    "Registry.connections": 100,
    "Set of Guest": 101,
    "Registry.byName": 102,
    "Object.table": 103,
    "Array of Guest": 104,
    "Array of number": 105,
  });
});

test("tables without a prototype are counted where a property holds them", () => {
  const bare = (count: number): object =>
    Object.assign(
      Object.create(null) as object,
      Object.fromEntries(guests(count).map((guest, at) => [`g${at}`, guest])),
    );
  class Book {
    readonly byName = bare(106);
    readonly few = bare(5);
  }
  // No query for objects hands these tables out: only their owner is in the list.
  assert.deepEqual(containers([new Book()]), { "Book.byName": 106 });
});

test("containers of the same name add up", () => {
  const registries = [100, 200].map((count) => new Registry(guests(count), new Set()));
  const found = containers([...registries, ...registries.map(({ connections }) => connections)]);
  assert.deepEqual(found, { "Registry.connections": 300 });
});

test("no code of the objects runs", () => {
  const fail = (): never => assert.fail("code of a looked-at object ran");
  const trapped = new Proxy(guests(100), {
    get: fail,
    ownKeys: fail,
    getPrototypeOf: fail,
    getOwnPropertyDescriptor: fail,
  });
  const holder = Object.defineProperty({}, "all", { get: fail, enumerable: true });
  class LyingMap extends Map<number, number> {
    override get size(): number {
      return fail();
    }
    override entries(): never {
      return fail();
    }
  }
  const lying = new LyingMap();
  for (let n = 0; n < 70; n += 1) lying.set(n, n);
  assert.deepEqual(containers([trapped, holder, lying]), { "Map of number to number": 70 });
});

test("descriptors and handles are read from inside the process", () => {
  const { fds, handles } = facts();
  assert.equal(typeof handles, "object");
  if (process.platform === "linux") assert.ok(Object.keys(fds ?? {}).length > 0);
  else assert.equal(fds, null);
});
