/** Views in a folder of their own, written without a thread: for tests of what is in them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { codec } from "../../../src/adapters/event-store/codec.ts";
import type { StoredBatch, StoredEvent } from "../../../src/adapters/event-store/event-store.ts";
import { viewsProgress, type ViewsProgress } from "../../../src/adapters/views/progress.ts";
import { readModel } from "../../../src/adapters/views/read-model.ts";
import { viewsReader, type Reader } from "../../../src/adapters/views/reader.ts";
import { createForRebuild, finishRebuild, openForWriting } from "../../../src/adapters/views/views-file.ts";
import { viewsWriter, type Writer } from "../../../src/adapters/views/writer.ts";
import type { Recorded } from "../../../src/domain/event-log.ts";
import type { ReadModel } from "../../../src/domain/runtime/read-model.ts";

/** A temporary folder for the time of `use`. */
export const inFolder = async (use: (folder: string) => Promise<void> | void): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "posthorn-views-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
};

export const stored = ({ position, stream, revision, event }: Recorded): StoredEvent => ({
  ...codec.encode(event),
  position,
  stream,
  revision,
});

export const batchOf = (events: readonly Recorded[]): StoredBatch => ({ events: events.map(stored), upTo: events.at(-1)?.position ?? 0 });

/** A log cut into runs of these lengths, over and over. */
export const cut = (events: readonly Recorded[], lengths: readonly number[]): readonly (readonly Recorded[])[] => {
  const runs: (readonly Recorded[])[] = [];
  for (let start = 0, turn = 0; start < events.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? events.length;
    runs.push(events.slice(start, start + length));
    start += length;
  }
  return runs;
};

const START = { position: 0, newestAt: 0, lastPosition: 0, lastStream: "", lastRevision: -1 };

/** Builds a file as a rebuild does, the log taken in these runs. */
export const rebuilt = (path: string, runs: readonly (readonly Recorded[])[]): void => {
  const db = createForRebuild(path);
  const writer = viewsWriter(db, START, codec.decode, { bulk: true });
  for (const run of runs) writer.write([batchOf(run)], []);
  writer.finish();
  finishRebuild(db, path);
};

export type DirectViews = {
  readonly db: DatabaseSync;
  readonly writer: Writer;
  readonly reader: Reader;
  readonly progress: ViewsProgress;
  readonly model: ReadModel;
  /** Writes a run of events as one transaction. */
  readonly take: (events: readonly Recorded[]) => void;
  readonly close: () => void;
};

/** Opens a file as a running server does, new if there is none. */
export const directViews = (path: string, options: { readonly fresh: boolean } = { fresh: true }): DirectViews => {
  if (options.fresh) rebuilt(path, []);
  const { db, progress: start } = openForWriting(path);
  const writer = viewsWriter(db, start, codec.decode, { bulk: false });
  const reader = viewsReader(path, (error) => {
    throw error;
  });
  const progress = viewsProgress(start.position);
  const model = readModel(reader, progress, async (key) => void writer.write([], [key]));
  return {
    db,
    writer,
    reader,
    progress,
    model,
    take: (events) => {
      const { position, soonest } = writer.write([batchOf(events)], []);
      progress.advance(position, soonest);
    },
    close: () => {
      reader.close();
      db.close();
    },
  };
};
