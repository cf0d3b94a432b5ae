// Keeps a peer in Node to this machine: where it listens without naming an address, which means all of them, it listens on
// 127.0.0.1. It changes nothing else, and nothing of the peer's files.

const hook = `
import net from "node:net";
const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (first, ...rest) {
  const host = "127.0.0.1";
  if (typeof first === "object" && first !== null) return listen.call(this, { ...first, host: first.host ?? host }, ...rest);
  if (typeof first === "function" || first === undefined) return listen.call(this, { port: 0, host }, ...(first ? [first] : rest));
  if (typeof rest[0] === "string") return listen.call(this, first, ...rest);
  return listen.call(this, first, host, ...(rest[0] === undefined ? rest.slice(1) : rest));
};
`;

/** Flags of Node, before the file that it runs. */
export const loopbackOnly: readonly string[] = ["--import", `data:text/javascript,${encodeURIComponent(hook)}`];
