/** The thread that writes the views, so that neither folding nor SQLite ever stops the main thread. */
import { parentPort, workerData } from "node:worker_threads";
import type { Key } from "../../projections/projection.ts";
import { codec } from "../event-store/codec.ts";
import type { StoredBatch } from "../event-store/event-store.ts";
import { unpackBatch } from "./packed-batch.ts";
import type { FromWriter, ToWriter, WriterData } from "./protocol.ts";
import { createForRebuild, finishRebuild, isDamage, openForWriting } from "./views-file.ts";
import { viewsWriter, type Writer } from "./writer.ts";

/** Events in one transaction; bigger ones fold more in memory, smaller ones show sooner. */
const MOST_EVENTS = { live: 2_000, rebuild: 8_000 } as const;

/**
 * A transaction costs a few hundred microseconds whatever is in it. When there is little to do each event gets its own,
 * at once. Above this rate transactions keep a distance, so that they share the cost; and of a message that is queued and
 * delivered in between, only the end is written. Work of this process's own making does not wait for the views.
 */
const BUSY_EVENTS = 20;
const BUSY_WINDOW_MS = 50;
const BUSY_DISTANCE_MS = 40;
/** Batches that wait however close the last transaction was. */
const MOST_WAITING = 500;

const { mode, path } = workerData as WriterData;
const port = parentPort;
if (port === null) throw new Error("the views' writer runs in a thread of its own");

const tell = (message: FromWriter): void => {
  port.postMessage(message);
};

const open = (): { readonly writer: Writer; readonly close: () => void } => {
  if (mode === "rebuild") {
    const db = createForRebuild(path);
    const start = { position: 0, newestAt: 0, lastPosition: 0, lastStream: "", lastRevision: -1 };
    const writer = viewsWriter(db, start, codec.decode, { bulk: true });
    const close = (): void => {
      writer.finish();
      finishRebuild(db, path);
    };
    return { writer, close };
  }
  const { db, progress } = openForWriting(path);
  const close = (): void => {
    db.close();
  };
  return { writer: viewsWriter(db, progress, codec.decode, { bulk: false }), close };
};

type Taken = { readonly batches: StoredBatch[]; readonly keys: Key[]; readonly tokens: number[]; events: number };

/** As many of the waiting messages as fit into one transaction. */
const take = (queue: ToWriter[]): Taken => {
  const taken: Taken = { batches: [], keys: [], tokens: [], events: 0 };
  for (let message = queue[0]; message !== undefined && message.kind !== "end"; message = queue[0]) {
    if (message.kind === "batch") {
      const { count } = message.batch;
      if (taken.events > 0 && taken.events + count > MOST_EVENTS[mode]) break;
      taken.batches.push(unpackBatch(message.batch));
      taken.events += count;
    } else {
      taken.keys.push(message.key);
      taken.tokens.push(message.token);
    }
    queue.shift();
  }
  return taken;
};

const run = (): void => {
  const { writer, close } = open();
  const queue: ToWriter[] = [];
  let scheduled = false;
  let lastAt = 0;
  let recentEvents = 0; // fades over the window

  const fail = (error: unknown): void => {
    port.off("message", receive);
    queue.length = 0;
    tell({ kind: "failed", error: error instanceof Error ? error : new Error(String(error)), damaged: isDamage(error) });
    port.close();
  };

  const writeTaken = (): void => {
    const startedAt = performance.now();
    const { batches, keys, tokens, events } = take(queue);
    if (batches.length + keys.length === 0) return;
    recentEvents = recentEvents * Math.exp((lastAt - startedAt) / BUSY_WINDOW_MS) + events;
    lastAt = startedAt;
    const { position, soonest } = writer.write(batches, keys);
    tell({ kind: "written", position, events, durationMs: performance.now() - startedAt, forgotten: tokens, soonest });
  };

  const turn = (): void => {
    scheduled = false;
    try {
      writeTaken();
      if (queue[0]?.kind === "end") {
        close();
        tell({ kind: "ended" });
        port.close();
      } else {
        schedule();
      }
    } catch (error) {
      fail(error);
    }
  };

  /** After what has arrived by now is in the queue, so that it goes into one transaction. */
  const schedule = (): void => {
    if (scheduled || queue.length === 0) return;
    scheduled = true;
    const sinceMs = performance.now() - lastAt;
    const isCrowded = mode === "live" && recentEvents > BUSY_EVENTS && sinceMs < BUSY_DISTANCE_MS && queue.length < MOST_WAITING;
    if (isCrowded) setTimeout(turn, BUSY_DISTANCE_MS - sinceMs);
    else setImmediate(turn);
  };

  const receive = (message: ToWriter): void => {
    queue.push(message);
    schedule();
  };

  port.on("message", receive);
  tell({ kind: "ready" });
};

try {
  run();
} catch (error) {
  tell({ kind: "failed", error: error instanceof Error ? error : new Error(String(error)), damaged: isDamage(error) });
  port.close();
}
