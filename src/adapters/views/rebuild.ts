/** Builds a views file from the whole log beside the one in use, and puts it in its place when it is finished. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Position } from "../../domain/event-log.ts";
import type { EventStore } from "../event-store/event-store.ts";
import { removeViews, swapIn } from "./views-file.ts";
import { writerClient, type WriterFailure } from "./writer-client.ts";

/** What the views need of an event store. */
export type ViewsSource = Pick<EventStore, "subscribe" | "head" | "readAll">;

/** Where the views are kept in a data directory. */
export const viewsPath = (directory: string): string => join(directory, "views.db");

export type RebuildProgress = { readonly position: Position; readonly head: Position; readonly events: number };

/**
 * Reads the log up to what was its head at the call. Nobody may have the views in `directory` open: that is for a stopped
 * server, or for its start. When it fails or is aborted, the file that was there stays.
 *
 * @throws what the store throws, or an error that names the event that a view could not take.
 */
export const rebuildViews = async (options: {
  readonly store: ViewsSource;
  readonly directory: string;
  readonly onProgress?: (progress: RebuildProgress) => void;
  readonly signal?: AbortSignal;
}): Promise<{ readonly events: number; readonly position: Position }> => {
  const { store, directory, onProgress } = options;
  await mkdir(directory, { recursive: true });
  const path = viewsPath(directory);
  const newPath = `${path}.new`;
  const head = store.head();
  const reading = new AbortController();
  const signal = options.signal === undefined ? reading.signal : AbortSignal.any([reading.signal, options.signal]);
  let events = 0;
  let failure: WriterFailure | undefined;
  const writer = writerClient(
    { mode: "rebuild", path: newPath },
    {
      written: (written) => {
        events += written.events;
        onProgress?.({ position: written.position, head, events });
      },
      failed: (why) => {
        failure = why;
        reading.abort();
      },
    },
  );

  let position = 0;
  try {
    await writer.ready;
    if (head > 0) {
      for await (const batch of store.subscribe(0, { signal })) {
        await writer.send(batch);
        position = batch.upTo;
        if (position >= head) break;
      }
    }
    if (failure !== undefined) throw failure.error;
    options.signal?.throwIfAborted();
    await writer.end();
  } catch (error) {
    await writer.terminate();
    removeViews(newPath);
    // Whatever the reader ran into after the writer had failed is only a consequence.
    throw failure?.error ?? error;
  } finally {
    reading.abort();
  }
  swapIn(newPath, path);
  return { events, position };
};
