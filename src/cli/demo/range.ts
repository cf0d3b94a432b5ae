// The Range field of RFC 9110 section 14, for one range of bytes. Pure.

/** What a Range field asks of a representation of `bytes` bytes. */
export type RangeAnswer =
  | { readonly kind: "whole" }
  /** From `start` up to but not including `end`. */
  | { readonly kind: "part"; readonly start: number; readonly end: number }
  | { readonly kind: "unsatisfiable" };

/** Reads a Range field. Several ranges, other units and nonsense are answered with the whole, as the RFC allows. */
export function parseRange(field: string | undefined, bytes: number): RangeAnswer {
  const match = /^bytes=(\d*)-(\d*)$/u.exec(field ?? "");
  const [, first = "", last = ""] = match ?? [];
  if (first === "" && last === "") return { kind: "whole" };
  if (first === "") {
    const length = Math.min(Number(last), bytes);
    return length === 0 ? { kind: "unsatisfiable" } : { kind: "part", start: bytes - length, end: bytes };
  }
  const start = Number(first);
  const end = last === "" ? bytes : Math.min(Number(last) + 1, bytes);
  if (last !== "" && Number(last) < start) return { kind: "whole" };
  return start < bytes ? { kind: "part", start, end } : { kind: "unsatisfiable" };
}
