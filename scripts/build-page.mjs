// Bundles the live page (src/page) into static files beside the compiled private listener, each named after its content.
// When: by scripts/build.mjs. It fetches nothing.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { basename, extname, join } from "node:path";
import { build } from "esbuild";
import { dist, root } from "./prepare.mjs";

const source = join(root, "src", "page");
const site = join(dist, "src", "page", "site");
/** What is bundled, and so must bring its licence along. */
const bundled = ["preact", "@preact/signals", "@preact/signals-core", "uplot"];

/** Writes dist/src/page/site. Throws what the bundler says. */
export async function buildPage() {
  mkdirSync(site, { recursive: true });
  const { outputFiles } = await build({
    absWorkingDir: source,
    entryPoints: ["main.tsx", "style.css"],
    outdir: site,
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: ["es2022"],
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "warning",
  });
  const assets = outputFiles.map(({ path, contents }) => ({ name: basename(path), bytes: contents }));
  assets.push({ name: "icon.svg", bytes: readFileSync(join(source, "icon.svg")) });
  let page = readFileSync(join(source, "index.html"), "utf8");
  for (const { name, bytes } of assets) {
    const hashed = nameOf(name, bytes);
    writeFileSync(join(site, hashed), bytes);
    page = page.replaceAll(`%${name}%`, `/page/${hashed}`);
  }
  writeFileSync(join(site, "index.html"), page);
  writeFileSync(join(site, "licences.txt"), bundled.map(licenceOf).join("\n"));
}

/** Two contents never have one name, so that browsers may keep files for ever. */
function nameOf(name, bytes) {
  const extension = extname(name);
  const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  return `${basename(name, extension)}-${digest}${extension}`;
}

function licenceOf(name) {
  const text = readFileSync(join(root, "node_modules", name, "LICENSE"), "utf8").trim();
  return `${name}\n\n${text}\n`;
}
