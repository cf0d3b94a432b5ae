// One answer from two, and back: the server's verdict and that of the client process, whose findings say so.

import type { Finding, Outcome, Verdict } from "./verdict/finding.ts";

/** Before the names of what the client process has. */
const ofClients = "client ";

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

/** What a merged verdict says of one side's series, by their own names. The slopes are the server's. */
export function partOf(verdict: Verdict, side: "server" | "client"): Verdict {
  const own = (findings: readonly Finding[]): Finding[] =>
    findings
      .filter(({ subject }) => subject.startsWith(ofClients) === (side === "client"))
      .map((finding) => ({ ...finding, subject: finding.subject.replace(ofClients, "") }));
  return {
    ...verdict,
    findings: own(verdict.findings),
    warnings: own(verdict.warnings),
    doubts: own(verdict.doubts),
    slopes: side === "server" ? verdict.slopes : [],
  };
}

function ofClient(finding: Finding): Finding {
  return { ...finding, subject: `${ofClients}${finding.subject}`, text: `In the client process: ${finding.text}` };
}

function worse(one: Outcome, other: Outcome): Outcome {
  const both = new Set([one, other]);
  if (both.has("leak")) return "leak";
  return both.has("undecided") ? "undecided" : "clean";
}
