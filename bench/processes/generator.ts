/**
 * What the load generators share: so many connections, on each of them one message at a time, and what came of it all. They
 * share the machine with what they measure, so they must cost next to nothing: raw sockets, and texts made beforehand.
 */
import { connect, type Socket } from "node:net";
import { percentile } from "../statistics.ts";
import { monotonicMs } from "./counter.ts";

export type GeneratorJob = {
  readonly port: number;
  readonly connections: number;
  /** Messages in all. */
  readonly count: number;
  /** Number of the first message: makes recipients differ from those of earlier runs. */
  readonly from: number;
};

export type LoadResult = {
  readonly accepted: number;
  /** Answers other than yes, and the first of them. */
  readonly refused: number;
  readonly firstRefusal: string | undefined;
  /** By the machine's monotonic clock: from the first message to the last answer, ms. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

/** One connection's side of a protocol. */
export type Dialogue = {
  /** Called when the connection stands; calls `ready` when the first message may go. */
  readonly open: (ready: () => void) => void;
  /** Hands in the message of this number; its end is told by `ended`. */
  readonly begin: (number: number) => void;
  /** Takes what came. */
  readonly take: (text: string) => void;
  /** There are no more messages. */
  readonly close: () => void;
};

/** Makes the dialogue of a connection. `ended`: the message under way was accepted, or refused with this answer. */
export type DialogueMaker = (socket: Socket, ended: (refusal?: string) => void, fail: (error: Error) => void) => Dialogue;

/** Hands everything in. */
export const generate = async ({ port, connections, count, from }: GeneratorJob, dialogueOf: DialogueMaker): Promise<LoadResult> => {
  const latencies: number[] = [];
  let next = 0;
  let refused = 0;
  let firstRefusal: string | undefined;

  const worker = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1").setNoDelay(true).setEncoding("latin1");
      let sentAt = 0;
      const begin = (): void => {
        if (next >= count) {
          dialogue.close();
          resolve();
          return;
        }
        sentAt = performance.now();
        const number = from + next;
        next += 1;
        dialogue.begin(number);
      };
      const ended = (refusal?: string): void => {
        latencies.push(performance.now() - sentAt);
        if (refusal !== undefined) {
          refused += 1;
          firstRefusal ??= refusal;
        }
        begin();
      };
      const dialogue = dialogueOf(socket, ended, reject);
      socket.once("connect", () => {
        dialogue.open(begin);
      });
      socket.once("error", reject);
      socket.once("close", () => {
        reject(new Error("the server closed a connection"));
      });
      socket.on("data", (text: string) => {
        dialogue.take(text);
      });
    });

  const startedAt = monotonicMs();
  await Promise.all(Array.from({ length: connections }, worker));
  const durationMs = monotonicMs() - startedAt;
  const accepted = latencies.length - refused;
  return { accepted, refused, firstRefusal, startedAt, durationMs, p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
};
