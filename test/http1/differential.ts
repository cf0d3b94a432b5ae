// One mutated conversation through our readers and through llhttp, and what they must agree upon: of every message that
// both understood, all of it. We may refuse more; whoever refuses is not asked about what follows.

import { isDeepStrictEqual } from "node:util";
import { mutated, Random, randomCuts, requestCorpus, responseCorpus } from "./mutator.ts";
import { NodeServer, startResponse } from "./node-messages.ts";
import type { Conversation, Cuts, Message } from "./our-messages.ts";
import { cut, readRequests, readResponses } from "./our-messages.ts";

/** Which messages, and for responses whether the request was HEAD. */
export type Direction = "requests" | "responses" | "responses to HEAD";

/** What two readers disagree upon. */
export interface Disagreement {
  readonly direction: Direction;
  readonly about: string;
  /** The shortest input with this disagreement that was found, latin1. */
  readonly text: string;
  readonly ours: Conversation;
  readonly theirs: Conversation;
}

/** What a run came to. */
export interface Verdict {
  /** How often which ends met, as `ours / theirs`. */
  readonly tally: Map<string, number>;
  /** In how many conversations both understood at least one whole message. */
  readonly shared: number;
  /** The first disagreement, made small; the run ends with it. */
  readonly disagreement: Disagreement | undefined;
}

/** Options of {@link compareMany}. */
export interface CompareOptions {
  readonly direction: Direction;
  /** How many conversations. */
  readonly count: number;
  readonly seed: number;
  /** Hears how many are done, now and then. */
  onProgress?(done: number): void;
}

/** Conversations that node:http reads at once: they share the turns of the event loop that it needs. */
const batchSize = 64;

/** Compares `count` mutated conversations. The same seed makes the same ones. */
export async function compareMany(options: CompareOptions): Promise<Verdict> {
  const { direction, count } = options;
  const random = new Random(options.seed);
  const corpus = direction === "requests" ? requestCorpus : responseCorpus;
  const comparer = new Comparer(direction);
  const tally = new Map<string, number>();
  let shared = 0;
  for (let done = 0; done < count; done += batchSize) {
    const texts = Array.from({ length: Math.min(batchSize, count - done) }, () => mutated(random, corpus));
    const compared = await comparer.compare(texts, (text) => randomCuts(random, text.length));
    for (const { about, text, ours, theirs } of compared) {
      const key = `${ours.end} / ${theirs.end}`;
      tally.set(key, (tally.get(key) ?? 0) + 1);
      if (ours.messages[0]?.complete === true && theirs.messages[0]?.complete === true) shared++;
      if (about !== "") return { tally, shared, disagreement: await comparer.minimise(text, about) };
    }
    options.onProgress?.(Math.min(count, done + batchSize));
  }
  return { tally, shared, disagreement: undefined };
}

/** What becomes of one text, for looking at it. */
export async function compareOne(direction: Direction, text: string): Promise<Disagreement> {
  const [compared] = await new Comparer(direction).compare([text], () => []);
  if (compared === undefined) throw new RangeError("nothing compared");
  return compared;
}

class Comparer {
  readonly #direction: Direction;
  readonly #server = new NodeServer();

  constructor(direction: Direction) {
    this.#direction = direction;
  }

  /** One result per text; `about` is empty where there is no disagreement. */
  async compare(texts: readonly string[], cutsOf: (text: string) => Cuts): Promise<Disagreement[]> {
    const started = texts.map((text) => this.#startTheirs(Buffer.from(text, "latin1")));
    // Nothing here waits for I/O: everything that node:http puts off happens within a few turns.
    for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
    return texts.map((text, index) => {
      const theirs = started[index]?.finish() ?? { messages: [], end: "" };
      const bytes = Buffer.from(text, "latin1");
      const ours = this.#readOurs([bytes]);
      const about = this.#cutsMatter(ours, cut(bytes, cutsOf(text))) ? "cuts" : disagreementOf(ours, theirs);
      return { direction: this.#direction, about, text, ours, theirs };
    });
  }

  /** Takes pieces out of `text` for as long as the disagreement stays the same. */
  async minimise(text: string, about: string): Promise<Disagreement> {
    const everywhere = (candidate: string): Cuts =>
      Array.from({ length: Math.max(0, candidate.length - 1) }, (_, index) => index + 1);
    let [smallest] = await this.compare([text], everywhere);
    for (let size = Math.ceil(text.length / 2); smallest !== undefined && size >= 1; size = Math.floor(size / 2)) {
      for (let at = 0; at < smallest.text.length;) {
        const shorter: string = smallest.text.slice(0, at) + smallest.text.slice(at + size);
        const [compared] = await this.compare([shorter], everywhere);
        if (compared?.about === about) smallest = compared;
        else at += size;
      }
    }
    if (smallest === undefined) throw new RangeError("nothing compared");
    return smallest;
  }

  /** Whether our readers find something else in pieces than in the whole. */
  #cutsMatter(whole: Conversation, pieces: readonly Buffer[]): boolean {
    const inPieces = this.#readOurs(pieces);
    // The verdict on a bad line may wait for the line's end.
    const waits = inPieces.end === "more" && whole.end !== "more";
    return !isDeepStrictEqual(whole, waits ? this.#readOurs([...pieces, Buffer.from("\n")]) : inPieces);
  }

  #startTheirs(bytes: Buffer): { finish(): Conversation } {
    if (this.#direction === "requests") return this.#server.start(bytes);
    return startResponse(bytes, { requestIsHead: this.#direction === "responses to HEAD" });
  }

  #readOurs(pieces: readonly Buffer[]): Conversation {
    if (this.#direction === "requests") return readRequests(pieces);
    return readResponses(pieces, { requestIsHead: this.#direction === "responses to HEAD" });
  }
}

/** What the two disagree upon, or an empty string. */
function disagreementOf(ours: Conversation, theirs: Conversation): string {
  const weRefused = ours.end !== "more" && ours.end !== "closed";
  const theyRefused = theirs.end !== "more";
  for (const [index, our] of ours.messages.entries()) {
    const their = theirs.messages[index];
    if (their === undefined) return theyRefused ? "" : "they see fewer messages";
    const last = index === ours.messages.length - 1 || index === theirs.messages.length - 1;
    const about = differenceOf(our, their);
    if (about !== "") return about;
    if (our.complete && their.complete) {
      if (our.body !== their.body) return "bodies";
      if (!isDeepStrictEqual(our.trailers, their.trailers)) return "trailers";
    } else if (our.complete !== their.complete || our.body !== their.body) {
      // A message that one of them refused in its middle has no end to agree upon.
      if (!(last && (weRefused || theyRefused))) return "where a body ends";
    }
  }
  if (theirs.messages.length > ours.messages.length && ours.end === "more") return "they see more messages";
  return "";
}

function differenceOf(our: Message, their: Message): string {
  if (our.start !== their.start) return "start lines";
  return isDeepStrictEqual(our.fields, their.fields) ? "" : "fields";
}
