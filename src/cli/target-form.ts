// Tells `caisson 8000` from a mistyped command. Pure; what a target really may be is client/target.ts's matter, which
// is only loaded when a tunnel is asked for.

/** Whether an operand in the place of a command is meant as a target: it starts with a digit or has a colon in it. */
export function looksLikeTarget(operand: string): boolean {
  return /^\d/u.test(operand) || operand.includes(":");
}
