/** The main thread's end of the writer: sends batches, never more than it can take in, and hears how far it is. */
import { Worker } from "node:worker_threads";
import type { Key } from "../../projections/projection.ts";
import type { StoredBatch } from "../event-store/event-store.ts";
import type { FromWriter, ToWriter, WriterData } from "./protocol.ts";

/** Events on their way to the writer before `send` makes the reader wait. */
const MOST_IN_FLIGHT = { live: 8_000, rebuild: 48_000 } as const;

export type Written = Extract<FromWriter, { kind: "written" }>;

/** The views cannot go on. `damaged`: their file is broken; it has to be built anew. */
export type WriterFailure = { readonly error: Error; readonly damaged: boolean };

export type WriterClient = {
  /** Resolves when the file is open; rejects when it cannot be opened. */
  readonly ready: Promise<void>;
  /** Hands a batch over; resolves when there is room for the next. */
  readonly send: (batch: StoredBatch) => Promise<void>;
  /** Takes a row out of the schedule; resolves when that is committed, rejects when it never will be. */
  readonly forget: (key: Key) => Promise<void>;
  /** Finishes what was handed over, closes the file and ends the thread. */
  readonly end: () => Promise<void>;
  /** Ends the thread wherever it is. */
  readonly terminate: () => Promise<void>;
};

type Waiting = { readonly resolve: () => void; readonly reject: (error: Error) => void };

export const writerClient = (
  data: WriterData,
  on: { readonly written: (written: Written) => void; readonly failed: (failure: WriterFailure) => void },
): WriterClient => {
  const worker = new Worker(new URL("./writer-thread.ts", import.meta.url), { workerData: data, name: "views" });
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  ready.promise.catch(() => undefined);
  ended.promise.catch(() => undefined);
  let failure: WriterFailure | undefined;
  let isEnded = false;
  let inFlight = 0;
  let nextToken = 1;
  let room: Waiting[] = [];
  const forgetting = new Map<number, Waiting>();

  const tell = (message: ToWriter): void => {
    worker.postMessage(message);
  };

  const fail = (why: WriterFailure): void => {
    if (failure !== undefined || isEnded) return;
    failure = why;
    for (const { reject } of [...room, ...forgetting.values()]) reject(why.error);
    room = [];
    forgetting.clear();
    ready.reject(why.error);
    ended.reject(why.error);
    on.failed(why);
  };

  const written = (message: Written): void => {
    inFlight -= message.events;
    for (const token of message.forgotten) {
      forgetting.get(token)?.resolve();
      forgetting.delete(token);
    }
    on.written(message);
    if (inFlight >= MOST_IN_FLIGHT[data.mode]) return;
    for (const { resolve } of room) resolve();
    room = [];
  };

  worker.on("message", (message: FromWriter) => {
    if (message.kind === "written") written(message);
    else if (message.kind === "ready") ready.resolve();
    else if (message.kind === "failed") fail(message);
    else {
      isEnded = true;
      ended.resolve();
    }
  });
  worker.on("error", (error) => {
    fail({ error: new Error("the thread that writes the views broke down", { cause: error }), damaged: false });
  });
  worker.on("exit", () => {
    fail({ error: new Error("the thread that writes the views ended"), damaged: false });
  });

  return {
    ready: ready.promise,
    send: async (batch) => {
      if (failure !== undefined) throw failure.error;
      inFlight += batch.events.length;
      tell({ kind: "batch", batch });
      if (inFlight >= MOST_IN_FLIGHT[data.mode]) await new Promise<void>((resolve, reject) => room.push({ resolve, reject }));
    },
    forget: (key) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined || isEnded) return void reject(failure?.error ?? new Error("the views are closed"));
        const token = nextToken++;
        forgetting.set(token, { resolve, reject });
        tell({ kind: "forget", key, token });
      }),
    end: async () => {
      if (failure === undefined && !isEnded) tell({ kind: "end" });
      await ended.promise;
      await worker.terminate();
    },
    terminate: async () => {
      isEnded = true;
      await worker.terminate();
    },
  };
};
