// Which addresses count as one for everybody who counts per address. IPv6 is handed out in networks of 2^64 addresses, so
// that whoever has one has all of them; a limit per address would be none. Pure.

const groupsOfNetwork = 4;
const groupsOfAddress = 8;

/**
 * What an address counts as: an IPv4 address as itself, also where it is written as IPv6 (`::ffff:192.0.2.1`), an IPv6
 * address as its /64, with its zone if it has one. `address` as `net` reports it.
 */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const [bare = "", zone = ""] = address.split("%");
  const [head = "", tail = ""] = bare.split("::");
  const first = groupsIn(head);
  const last = groupsIn(tail);
  const dotted = last.at(-1) ?? "";
  if (dotted.includes(".") && head === "" && last.length === 2 && last[0] === "ffff") return dotted;
  const omitted = groupsOfAddress - first.length - last.length - (dotted.includes(".") ? 1 : 0);
  const groups = [...first, ...Array.from({ length: Math.max(0, omitted) }, () => "0"), ...last];
  const network = groups.slice(0, groupsOfNetwork).map((group) => group.replace(/^0+(?=.)/u, ""));
  return `${network.join(":")}::/64${zone === "" ? "" : `%${zone}`}`;
}

function groupsIn(text: string): string[] {
  return text === "" ? [] : text.toLowerCase().split(":");
}
