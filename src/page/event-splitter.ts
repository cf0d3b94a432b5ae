// Cuts the text of a server-sent event stream into the data of its events. It keeps no more than one unfinished event, and
// throws when that grows beyond all reason. Pure.

/** The longest event, in characters. */
export const maxEventLength: number = 4 * 1024 * 1024;

/** Takes text as it arrives. */
export class EventSplitter {
  #rest = "";

  /** Adds text; answers the data of every event that is complete with it. Throws if one event is too long. */
  add(text: string): string[] {
    const parts = (this.#rest + text).split("\n\n");
    this.#rest = parts.pop() ?? "";
    if (this.#rest.length > maxEventLength) throw new Error("an event without an end");
    return parts.map(dataOf).filter((data) => data !== "");
  }
}

function dataOf(event: string): string {
  return event
    .split("\n")
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice("data:".length).trimStart())
    .join("\n");
}
