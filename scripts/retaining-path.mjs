// What: the shortest chain of references from the heap's roots to one retained resource, out of a heap snapshot.
// When: /debug/resources says `retained`, and the question is by what. Needs memory for the whole file; fine up to 100 MB.
// Example: node scripts/retaining-path.mjs caisson-....heapsnapshot session#17; without a label it lists those that are retained

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Lines from the root to the resource. Weak references do not count. */
export function retainingPath(file, label) {
  const heap = readHeap(file);
  const target = watchedBy(heap, label);
  const cameFrom = breadthFirst(heap);
  const lines = [];
  for (let node = target; node !== 0;) {
    const edge = cameFrom.get(node);
    if (edge === undefined) return [`nothing but weak references lead to ${label}`];
    lines.unshift(`${edge.name.padEnd(24)} ${heap.describe(node)}`);
    node = edge.from;
  }
  return lines;
}

/** The labels of all retained resources. */
export function retainedIn(file) {
  const heap = readHeap(file);
  const labels = [...recordsOf(heap)]
    .map((record) => heap.follow(record, "label"))
    .filter((label) => label !== undefined);
  // An open or pending resource has no label: its field holds undefined, which has a name without a number.
  return labels.map((label) => heap.nameOf(label)).filter((label) => /^[a-z_]+#\d+$/.test(label));
}

function readHeap(file) {
  const { snapshot, nodes, edges, strings, locations } = JSON.parse(readFileSync(file, "utf8"));
  const {
    node_fields: nodeFields,
    edge_fields: edgeFields,
    node_types: nodeTypes,
    edge_types: edgeTypes,
  } = snapshot.meta;
  const nodeSize = nodeFields.length;
  const edgeSize = edgeFields.length;
  const [typeAt, nameAt, countAt] = ["type", "name", "edge_count"].map((field) => nodeFields.indexOf(field));
  const [edgeTypeAt, edgeNameAt, toAt] = ["type", "name_or_index", "to_node"].map((field) => edgeFields.indexOf(field));
  const firstEdge = [0];
  for (let n = 0; n < nodes.length; n += nodeSize) firstEdge.push(firstEdge.at(-1) + nodes[n + countAt]);
  const places = new Map();
  for (let n = 0; n < locations.length; n += 4) places.set(locations[n], `line ${locations[n + 2] + 1}`);
  const typeOf = (node) => nodeTypes[0][nodes[node + typeAt]];
  const nameOf = (node) => strings[nodes[node + nameAt]];

  function* edgesOf(node) {
    const index = node / nodeSize;
    for (let n = firstEdge[index]; n < firstEdge[index + 1]; n += 1) {
      const at = n * edgeSize;
      const type = edgeTypes[0][edges[at + edgeTypeAt]];
      const nameOrIndex = edges[at + edgeNameAt];
      const name = type === "element" || type === "hidden" ? `[${nameOrIndex}]` : strings[nameOrIndex];
      yield { type, name, to: edges[at + toAt] };
    }
  }

  const follow = (node, name) =>
    node === undefined ? undefined : [...edgesOf(node)].find((edge) => edge.name === name)?.to;

  /** A closure's shared info refers to its script, under a name that depends on the version of V8. */
  function fileOf(node) {
    const shared = typeOf(node) === "closure" ? follow(node, "shared") : undefined;
    const script = follow(shared, "script") ?? follow(shared, "script_or_debug_info");
    return script === undefined ? "" : `${nameOf(script).replace(/^.*\//, "")} `;
  }

  function describe(node) {
    const place = places.get(node);
    const where = place === undefined ? "" : ` (${fileOf(node)}${place})`;
    return `${typeOf(node)} ${nameOf(node).slice(0, 60)}${where}`;
  }
  return { count: nodes.length, nodeSize, typeOf, nameOf, follow, describe, edgesOf };
}

/** The resource of the record with this label, over the record's weak reference. */
function watchedBy(heap, label) {
  for (const node of recordsOf(heap)) {
    const labelNode = heap.follow(node, "label");
    if (labelNode === undefined || heap.nameOf(labelNode) !== label) continue;
    const target = heap.follow(heap.follow(node, "resource"), "target");
    if (target !== undefined) return target;
  }
  throw new Error(`no record of ${label} in this snapshot`);
}

function* recordsOf(heap) {
  for (let node = 0; node < heap.count; node += heap.nodeSize) {
    if (heap.typeOf(node) === "object" && heap.nameOf(node) === "WatchRecord") yield node;
  }
}

function breadthFirst(heap) {
  const cameFrom = new Map([[0, undefined]]);
  const queue = [0];
  for (const node of queue) {
    for (const { type, name, to } of heap.edgesOf(node)) {
      // The second keeps a WeakMap's values alive only together with their keys.
      if (type === "weak" || name.includes("part of key") || cameFrom.has(to)) continue;
      cameFrom.set(to, { from: node, name });
      queue.push(to);
    }
  }
  return cameFrom;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , file, label] = process.argv;
  if (file === undefined) {
    console.error("Usage: node scripts/retaining-path.mjs FILE.heapsnapshot [LABEL]");
    process.exit(2);
  }
  for (const line of label === undefined ? retainedIn(file) : retainingPath(file, label)) console.log(line);
}
