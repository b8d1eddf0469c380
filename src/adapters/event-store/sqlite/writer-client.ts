/**
 * The main thread's side of the writer: collects the operations of one turn of the event loop into one message, keeps
 * those that come while a message is under way for the next (fuller groups cost less per append), and matches answers
 * to who waits. The writer answers in order, so this is a queue.
 */
import type { Worker } from "node:worker_threads";
import type { Position } from "../../../domain/event-log.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import { departures } from "./departures.ts";
import type { Operation } from "./operations.ts";
import { pendingQueue } from "./pending-queue.ts";
import { unavailable } from "./trouble.ts";
import { pack } from "./wire.ts";
import type { Reply, Request } from "./writer-thread.ts";

/** What one commit stored and what it took. */
export type CommitStatistics = { readonly events: number; readonly appends: number; readonly durationMs: number };

export type WriterClient = {
  /**
   * Hands an operation in. Resolves with the outcome of one that was stored or conflicts.
   *
   * @throws StoreUnavailable when the store is out of order; Error when the operation was at fault.
   */
  readonly submit: (operation: Operation) => Promise<number | string>;
  /** Finishes what was handed in and ends the thread. */
  readonly close: () => Promise<void>;
};

export type WriterClientOptions = {
  readonly worker: Worker;
  readonly file: string;
  /** Called for each operation that was stored, in the order of the log, before whoever waits for it is told. */
  readonly onStored: (operation: Operation, outcome: number) => void;
  /** Called after all operations of a commit. */
  readonly onCommit: (statistics: CommitStatistics) => void;
  /** The thread is gone although nobody closed it: nothing can be written any more. */
  readonly onStopped: (error: StoreUnavailable) => void;
};

/** Waits for the thread's first word: the position of the newest event, or why it cannot work. */
const opened = (worker: Worker, file: string): Promise<Position> =>
  new Promise((resolve, reject) => {
    worker.once("message", (reply: Reply) => {
      if (reply.kind === "opened") resolve(reply.head);
      else if (reply.kind === "failed") reject(new StoreUnavailable(reply.failure.reason ?? "ioError", reply.failure.message));
    });
    worker.once("error", (error) => {
      reject(unavailable("writerStopped", file, error instanceof Error ? error.message : String(error), error));
    });
    worker.once("exit", () => {
      reject(unavailable("writerStopped", file));
    });
  });

/** Takes a fresh writer thread over, once it has opened the store. */
export const writerClient = async (options: WriterClientOptions): Promise<{ readonly client: WriterClient; readonly head: Position }> => {
  const { worker, file, onStored, onCommit, onStopped } = options;
  const head = await opened(worker, file);

  const queue = pendingQueue(onStored);
  let refusal: StoreUnavailable | undefined;
  let crash: unknown;
  const { leave, added, answered } = departures(queue, (operations) => {
    const { packet, transfer } = pack(operations);
    worker.postMessage(packet satisfies Request, transfer);
  });

  worker.on("message", (reply: Reply) => {
    if (reply.kind !== "committed") return;
    const { packets, outcomes, events, appends, durationMs } = reply;
    queue.answer(packets, outcomes);
    onCommit({ events, appends, durationMs });
    answered(durationMs);
  });

  worker.on("error", (error) => {
    crash = error;
  });
  const exited = new Promise<void>((resolve) => {
    worker.once("exit", () => {
      resolve();
    });
  }).then(() => {
    const stopped = unavailable("writerStopped", file, crash instanceof Error ? crash.message : undefined, crash);
    queue.rejectAll(stopped);
    if (refusal !== undefined) return; // closed
    refusal = stopped;
    onStopped(stopped);
  });

  const submit: WriterClient["submit"] = (operation) =>
    new Promise((resolve, reject) => {
      if (refusal !== undefined) {
        reject(refusal);
        return;
      }
      queue.add({ operation, resolve, reject });
      added(operation);
    });

  const close: WriterClient["close"] = async () => {
    if (refusal === undefined) {
      refusal = unavailable("closed", file);
      leave();
      worker.postMessage("close" satisfies Request);
    }
    await exited;
  };

  return { client: { submit, close }, head };
};
