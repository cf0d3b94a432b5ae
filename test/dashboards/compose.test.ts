// The files that compose.yaml mounts are there, and everything in them refers to what the others offer.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { dashboardFiles } from "../../scripts/dashboards/all.ts";
import { packagePath, readPackageFile } from "../support/package-file.ts";

interface Service {
  readonly command?: readonly string[];
  readonly ports?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
}

interface DataSource {
  readonly uid: string;
  readonly url: string;
  readonly jsonData?: { readonly timeInterval?: string; readonly exemplarTraceIdDestinations?: readonly unknown[] };
}

function read(name: string): unknown {
  return parse(readPackageFile(`dashboards/${name}`));
}

const { services } = read("compose.yaml") as { services: Record<"prometheus" | "grafana" | "tempo", Service> };

test("every mounted file exists, and every dashboard is mounted", () => {
  const mounted = Object.values(services)
    .flatMap(({ volumes = [] }) => volumes)
    .flatMap((volume) => (volume.startsWith("./") ? [volume.split(":")[0]?.slice(2) ?? ""] : []));
  for (const path of mounted) assert.ok(existsSync(packagePath(`dashboards/${path}`)), path);
  for (const name of dashboardFiles().keys()) assert.ok(mounted.includes(name), `${name} is not mounted`);
});

test("nothing listens beyond loopback", () => {
  for (const port of Object.values(services).flatMap(({ ports = [] }) => ports)) assert.match(port, /^127\.0\.0\.1:/u);
  assert.ok(services.prometheus.command?.includes("--web.listen-address=127.0.0.1:9090"));
  assert.equal(services.grafana.environment?.["GF_SERVER_HTTP_ADDR"], "127.0.0.1");
});

test("Grafana's data sources are the ones that run, with links from exemplars to traces", () => {
  const { datasources } = read("grafana/datasources.yaml") as { datasources: readonly DataSource[] };
  const [prometheus, tempo] = datasources;
  assert.equal(prometheus?.url, "http://127.0.0.1:9090");
  assert.deepEqual(prometheus.jsonData?.exemplarTraceIdDestinations, [{ name: "trace_id", datasourceUid: tempo?.uid }]);
  const { global } = read("prometheus.yml") as { global: { scrape_interval: string } };
  assert.equal(prometheus.jsonData.timeInterval, global.scrape_interval);
  const { server } = read("tempo.yaml") as { server: { http_listen_port: number } };
  assert.equal(tempo?.url, `http://127.0.0.1:${server.http_listen_port}`);
  assert.ok(services.prometheus.command?.includes("--enable-feature=exemplar-storage"));
});
