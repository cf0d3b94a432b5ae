// A reporter for node --test that says at the end what was skipped and why, so that a green run hides nothing.
// When: passed by scripts/test.mjs beside Node's own reporter. It prints nothing when nothing was skipped.

/** Collects skipped tests from the runner's events. */
export default async function* skippedReporter(events) {
  const skipped = [];
  for await (const { type, data } of events) {
    if (type !== "test:pass" || data.skip === undefined) continue;
    skipped.push(
      `  ${data.name}: ${typeof data.skip === "string" && data.skip !== "" ? data.skip : "no reason given"}`,
    );
  }
  if (skipped.length > 0) yield `Skipped (${skipped.length}):\n${skipped.join("\n")}\n`;
}
