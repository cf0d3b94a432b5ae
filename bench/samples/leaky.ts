// The sample server with the mistake of the story: connections are pushed to an array and never removed.
// Example: node --inspect=127.0.0.1:9229 dist/bench/samples/leaky.js 8090

import { TunnelProxy } from "./tunnel-proxy.ts";

const proxy: TunnelProxy = new TunnelProxy({
  onClosed: () => {
    // Nobody thought of it.
  },
});
proxy.listen(Number(process.argv[2] ?? 0));
