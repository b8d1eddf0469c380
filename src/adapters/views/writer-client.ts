/** The main thread's end of the writer: sends batches, never more than it can take in, and hears how far it is. */
import { Worker } from "node:worker_threads";
import type { Key } from "../../projections/projection.ts";
import type { StoredBatch } from "../event-store/event-store.ts";
import { packBatch } from "./packed-batch.ts";
import type { FromWriter, ToWriter, WriterData } from "./protocol.ts";
import { room } from "./room.ts";

/** Events on their way to the writer before `send` makes the reader wait. */
const MOST_IN_FLIGHT = { live: 8_000, rebuild: 16_000 } as const;

/** Rows live as long as a transaction: a small space for the young keeps the thread small, and costs no time. */
const MEMORY = { maxYoungGenerationSizeMb: 16 } as const;

export type Written = Extract<FromWriter, { kind: "written" }>;

/** The views cannot go on. `damaged`: their file is broken; it has to be built anew. */
export type WriterFailure = { readonly error: Error; readonly damaged: boolean };

export type WriterClient = {
  /** Resolves when the file is open; rejects when it cannot be opened. */
  readonly ready: Promise<unknown>;
  /** Hands a batch over; resolves when there is room for the next. */
  readonly send: (batch: StoredBatch) => Promise<void>;
  /** Takes a row out of the schedule; resolves when that is committed, rejects when it never will be. */
  readonly forget: (key: Key) => Promise<void>;
  /** Finishes what was handed over, closes the file and ends the thread. */
  readonly end: () => Promise<void>;
  /** Ends the thread wherever it is. */
  readonly terminate: () => Promise<void>;
};

/** Answers that are waited for by number. */
const pendingAnswers = () => {
  const pending = new Map<number, PromiseWithResolvers<undefined>>();
  let next = 1;
  return {
    ask: (send: (token: number) => void): Promise<undefined> => {
      const token = next++;
      const answer = Promise.withResolvers<undefined>();
      pending.set(token, answer);
      send(token);
      return answer.promise;
    },
    answered: (token: number): void => {
      pending.get(token)?.resolve(undefined);
      pending.delete(token);
    },
    close: (error: Error): void => {
      for (const { reject } of pending.values()) reject(error);
      pending.clear();
    },
  };
};

/** A promise that somebody else settles, and that may fail with nobody looking. */
const settled = () => {
  const promise = Promise.withResolvers<undefined>();
  promise.promise.catch(() => undefined);
  return promise;
};

/** Starts the thread. It never ends by itself without having said why. */
const startThread = (data: WriterData, receive: (message: FromWriter) => void): Worker => {
  const worker = new Worker(new URL("./writer-thread.ts", import.meta.url), { workerData: data, name: "views", resourceLimits: MEMORY });
  const broken = (message: string, cause?: Error): void => {
    receive({ kind: "failed", error: new Error(message, cause && { cause }), damaged: false });
  };
  worker.on("message", receive);
  worker.on("error", (error) => {
    broken("the thread that writes the views broke down", error as Error);
  });
  worker.on("exit", () => {
    broken("the thread that writes the views ended");
  });
  return worker;
};

/** What others wait for from a thread, and how all of it ends when the thread does. */
const expectations = (mode: WriterData["mode"]) => {
  const ready = settled();
  const ended = settled();
  const inFlight = room(MOST_IN_FLIGHT[mode]);
  const forgetting = pendingAnswers();
  let over: Error | undefined;
  return {
    ready,
    ended,
    inFlight,
    forgetting,
    isOver: () => over !== undefined,
    throwIfOver: (): void => {
      if (over !== undefined) throw over;
    },
    /** Nothing more will come: everything still waited for fails. */
    stop: (error: Error): void => {
      over ??= error;
      inFlight.close(over);
      forgetting.close(over);
      ready.reject(over);
      ended.reject(over);
    },
  };
};

export const writerClient = (
  data: WriterData,
  on: { readonly written: (written: Written) => void; readonly failed: (failure: WriterFailure) => void },
): WriterClient => {
  const { ready, ended, inFlight, forgetting, isOver, throwIfOver, stop } = expectations(data.mode);

  const receive = (message: FromWriter): void => {
    switch (message.kind) {
      case "ready":
        ready.resolve(undefined);
        break;
      case "written":
        message.forgotten.forEach(forgetting.answered);
        on.written(message);
        inFlight.free(message.events);
        break;
      case "failed":
        if (isOver()) return;
        stop(message.error);
        on.failed(message);
        break;
      case "ended":
        ended.resolve(undefined);
        stop(new Error("the views are closed"));
    }
  };
  const worker = startThread(data, receive);
  const tell = (message: ToWriter): void => {
    worker.postMessage(message);
  };

  return {
    ready: ready.promise,
    send: async (batch) => {
      throwIfOver();
      tell({ kind: "batch", batch: packBatch(batch) });
      await inFlight.take(batch.events.length);
    },
    forget: async (key) => {
      throwIfOver();
      await forgetting.ask((token) => {
        tell({ kind: "forget", key, token });
      });
    },
    end: async () => {
      if (!isOver()) tell({ kind: "end" });
      await ended.promise;
      await worker.terminate();
    },
    terminate: async () => {
      stop(new Error("the views are closed"));
      await worker.terminate();
    },
  };
};
