// The sample server without the mistake: the entry of a connection that has closed goes, by identity.
// Example: node --inspect=127.0.0.1:9229 dist/bench/samples/fixed.js 8090

import { TunnelProxy } from "./tunnel-proxy.ts";

const proxy: TunnelProxy = new TunnelProxy({
  onClosed: (connections, closed) => {
    const at = connections.indexOf(closed);
    if (at !== -1) connections.splice(at, 1);
  },
});
proxy.listen(Number(process.argv[2] ?? 0));
