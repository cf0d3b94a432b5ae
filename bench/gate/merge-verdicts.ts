// One answer from two: the server's verdict and that of the client process, whose findings say so.

import type { Finding, Outcome, Verdict } from "./verdict/finding.ts";

/** The server's verdict together with the client's. Slopes, rounds and counts of work are the server's. */
export function mergeVerdicts(server: Verdict, client: Verdict | undefined): Verdict {
  if (!client) return server;
  return {
    ...server,
    outcome: worse(server.outcome, client.outcome),
    findings: [...server.findings, ...client.findings.map(ofClient)],
    warnings: [...server.warnings, ...client.warnings.map(ofClient)],
    doubts: [...server.doubts, ...client.doubts.map(ofClient)],
  };
}

function ofClient(finding: Finding): Finding {
  return { ...finding, subject: `client ${finding.subject}`, text: `In the client process: ${finding.text}` };
}

function worse(one: Outcome, other: Outcome): Outcome {
  const both = new Set([one, other]);
  if (both.has("leak")) return "leak";
  return both.has("undecided") ? "undecided" : "clean";
}
