import assert from "node:assert/strict";
import { test } from "node:test";
import { cgroupHeadroom, cgroupLimit } from "../../src/leaks/memory-headroom.ts";
import { countDescriptors, countTcpStates, descriptorLimitOf } from "../../src/leaks/proc-text.ts";

test("descriptors are counted by what their links point at", () => {
  const links = [
    "/dev/null",
    "/dev/pts/0",
    "/home/a/file (deleted)",
    "pipe:[11]",
    "socket:[12]",
    "socket:[13]",
    "anon_inode:[eventpoll]",
    "anon_inode:inotify",
    "strange",
  ];
  const { open, types, socketInodes } = countDescriptors(links);
  assert.equal(open, 9);
  assert.deepEqual(types, { device: 2, file: 1, pipe: 1, socket: 2, eventpoll: 1, inotify: 1, other: 1 });
  assert.deepEqual([...socketInodes], ["12", "13"]);
});

test("TCP states are counted for own sockets only, over both tables", () => {
  const header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
  const row = (state: string, inode: number): string =>
    `   0: 0100007F:1F90 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0\n`;
  const own = new Set(["12", "13", "14", "15"]);
  const tables = [header + row("0A", 12) + row("01", 13) + row("08", 99), header + row("08", 14) + row("7F", 15), ""];
  assert.deepEqual(countTcpStates(tables, own), { listen: 1, established: 1, close_wait: 1, other: 1 });
});

test("the descriptor limit is the soft one, null when there is none", () => {
  const text = "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 524288    files\n";
  assert.equal(descriptorLimitOf(text), 1024);
  assert.equal(descriptorLimitOf("Max open files            unlimited            unlimited  files\n"), null);
  assert.equal(descriptorLimitOf(""), null);
});

const headrooms: {
  readonly name: string;
  readonly membership: string;
  readonly files: Record<string, string>;
  readonly bytes: number;
}[] = [
  { name: "no control group", membership: "", files: {}, bytes: Infinity },
  {
    name: "version 2 without a limit",
    membership: "0::/a\n",
    files: { "/sys/fs/cgroup/a/memory.max": "max\n", "/sys/fs/cgroup/a/memory.current": "5\n" },
    bytes: Infinity,
  },
  {
    name: "version 2 in a container, the page cache given back",
    membership: "0::/\n",
    files: {
      "/sys/fs/cgroup/memory.max": "1000\n",
      "/sys/fs/cgroup/memory.current": "700\n",
      "/sys/fs/cgroup/memory.stat": "anon 400\ninactive_file 250\nactive_file 50\n",
    },
    bytes: 550,
  },
  {
    name: "a tighter limit further up",
    membership: "0::/slice/unit\n",
    files: {
      "/sys/fs/cgroup/slice/unit/memory.max": "1000",
      "/sys/fs/cgroup/slice/unit/memory.current": "100",
      "/sys/fs/cgroup/slice/memory.max": "2000",
      "/sys/fs/cgroup/slice/memory.current": "1900",
    },
    bytes: 100,
  },
  {
    name: "version 1",
    membership: "12:cpu,cpuacct:/x\n9:memory:/docker/1\n",
    files: {
      "/sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes": "9223372036854771712",
      "/sys/fs/cgroup/memory/docker/1/memory.usage_in_bytes": "100",
      "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes": "800",
      "/sys/fs/cgroup/memory/docker/memory.usage_in_bytes": "600",
      "/sys/fs/cgroup/memory/docker/memory.stat": "inactive_file 5\ntotal_inactive_file 100\n",
    },
    bytes: 300,
  },
  {
    name: "over the limit",
    membership: "0::/\n",
    files: { "/sys/fs/cgroup/memory.max": "100", "/sys/fs/cgroup/memory.current": "120" },
    bytes: 0,
  },
];

for (const { name, membership, files, bytes } of headrooms) {
  test(`memory that control groups leave: ${name}`, () => {
    assert.equal(
      cgroupHeadroom(membership, (path) => files[path] ?? ""),
      bytes,
    );
  });
}

test("the memory limit is the least of all groups above, and none where none is set", () => {
  const files: Readonly<Record<string, string>> = {
    "/sys/fs/cgroup/a/b/memory.max": "max",
    "/sys/fs/cgroup/a/memory.max": "4000",
    "/sys/fs/cgroup/memory.max": "9000",
  };
  const read = (path: string): string => files[path] ?? "";
  assert.equal(cgroupLimit("0::/a/b\n", read), 4000);
  assert.equal(cgroupLimit("0::/\n", read), 9000);
  assert.equal(
    cgroupLimit("0::/c\n", () => ""),
    Infinity,
  );
  assert.equal(
    cgroupLimit("5:memory:/\n", () => "9223372036854771712"),
    Infinity,
  );
});
