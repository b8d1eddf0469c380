/** What a call says, made when it is made: of mail that arrived, the message itself is read then and not kept in events. */
import type { ContentStore } from "../../domain/event-log.ts";
import type { Call } from "../../domain/webhook/caller.ts";
import type { IncomingPayload } from "../../domain/webhook/events.ts";
import type { Pieces, ReadMail } from "../mime/reader/mail-reading.ts";
import { incomingBody } from "./incoming-body.ts";
import { outgoingBody } from "./outgoing-body.ts";

/** `gone`: the message was deleted. `unread`: it could not be read for now. `stopped`: not in time. */
export type CallBody =
  | { readonly kind: "body"; readonly body: string }
  | { readonly kind: "gone" }
  | { readonly kind: "unread"; readonly error: unknown }
  | { readonly kind: "stopped" };

/** Messages that are read at a time: each costs a core for a moment, and up to some megabytes. */
const READ_TOGETHER = 4;

/** Lets a few run at a time, the others in the order of their coming. */
const turnstile = (places: number) => {
  let free = places;
  const waiting: (() => void)[] = [];
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => void waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
};

class Stopped extends Error {}

/** Ends with an error as soon as nobody waits for the reading any more. */
async function* until(signal: AbortSignal, pieces: Pieces): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    if (signal.aborted) throw new Stopped("not needed any more");
    yield piece;
  }
}

/** Resolves when the signal aborts, to be raced with; `done` forgets it. */
const abortion = (signal: AbortSignal) => {
  const { promise, resolve } = Promise.withResolvers<CallBody>();
  const abort = (): void => {
    resolve({ kind: "stopped" });
  };
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  return {
    promise,
    done: (): void => {
      signal.removeEventListener("abort", abort);
    },
  };
};

export type BodyParts = { readonly contents: Pick<ContentStore, "open">; readonly readMail: ReadMail };

/** Gives a call's body; never rejects, and resolves soon when `signal` aborts. */
export const callBodies = ({ contents, readMail }: BodyParts): ((call: Call, signal: AbortSignal) => Promise<CallBody>) => {
  const inTurn = turnstile(READ_TOGETHER);

  const read = async (payload: IncomingPayload, signal: AbortSignal): Promise<CallBody> => {
    if (signal.aborted) return { kind: "stopped" };
    try {
      const content = await contents.open(payload.contentId);
      if (content === undefined) return { kind: "gone" };
      return { kind: "body", body: incomingBody(payload, await readMail(until(signal, content.pieces))) };
    } catch (error) {
      return error instanceof Stopped ? { kind: "stopped" } : { kind: "unread", error };
    }
  };

  return async (call, signal) => {
    if (call.kind === "outgoing") return { kind: "body", body: outgoingBody(call.payload, call.queuedAt) };
    const { payload } = call;
    const aborted = abortion(signal);
    try {
      // Whoever is not waited for any more gives up its place as well.
      const reading = inTurn(() => Promise.race([read(payload, signal), aborted.promise]));
      return await Promise.race([reading, aborted.promise]);
    } finally {
      aborted.done();
    }
  };
};
