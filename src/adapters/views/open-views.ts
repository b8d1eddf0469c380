/** The views as the rest of the server has them: kept up with the log by themselves, read at any time. */
import { mkdir } from "node:fs/promises";
import type { Instant } from "../../domain/clock.ts";
import type { ReadModel } from "../../domain/runtime/read-model.ts";
import { viewsDigest } from "./digest.ts";
import { viewsProgress } from "./progress.ts";
import { callLists, type CallLists } from "./queries/calls.ts";
import { histories, type Histories } from "./queries/histories.ts";
import { lists, type Lists } from "./queries/lists.ts";
import { queueList, type QueueList } from "./queries/queue.ts";
import { retiredList, type RetiredList } from "./queries/retired.ts";
import { readModel } from "./read-model.ts";
import { viewsReader } from "./reader.ts";
import { rebuildViews, viewsPath, type RebuildProgress, type ViewsSource } from "./rebuild.ts";
import { inspectViews, removeViews, type Progress } from "./views-file.ts";
import { writerClient, type WriterFailure } from "./writer-client.ts";

export type ViewQueries = Lists &
  Histories & {
    readonly queue: QueueList;
    readonly retired: RetiredList;
    readonly calls: CallLists;
  };

export type Views = {
  readonly readModel: ReadModel;
  readonly queries: ViewQueries;
  /** Equal for views that say the same; see `viewsDigest`. */
  readonly digest: (options?: { readonly usageAfter?: Instant }) => Promise<string>;
  /** Stops following the log and closes the file. May be called again. */
  readonly close: () => Promise<void>;
};

export type ViewsOptions = {
  readonly store: ViewsSource;
  readonly directory: string;
  /** The views stand still from here on: an event that they cannot take, a broken file, a full disk. Called once. */
  readonly onFailure: (error: Error) => void;
  /** After every transaction: its events, and how long it took. */
  readonly onBatch?: (batch: { readonly events: number; readonly durationMs: number; readonly position: number }) => void;
  /** Views are about to be built from the whole log, and why. */
  readonly onRebuild?: (reason: string) => void;
  readonly onRebuildProgress?: (progress: RebuildProgress) => void;
};

/** Whether views that stand where they say belong to this log, and not to one that a backup has taken the place of. */
const belongsTo = async (store: ViewsSource, progress: Progress): Promise<boolean> => {
  if (progress.position > store.head()) return false;
  if (progress.lastPosition === 0) return true;
  const [event] = await store.readAll(progress.lastPosition - 1, 1);
  // The event may have left the log with its stream since.
  if (event?.position !== progress.lastPosition) return true;
  return event.stream === progress.lastStream && event.revision === progress.lastRevision;
};

/** Makes sure of usable views and answers how far they are. */
const prepare = async ({ store, directory, onRebuild, onRebuildProgress }: ViewsOptions): Promise<Progress> => {
  const path = viewsPath(directory);
  removeViews(`${path}.new`);
  const found = inspectViews(path);
  if (found.usable && (await belongsTo(store, found.progress))) return found.progress;
  onRebuild?.(found.usable ? "they are not of this log" : found.reason);
  await rebuildViews({ store, directory, ...(onRebuildProgress !== undefined && { onProgress: onRebuildProgress }) });
  const rebuilt = inspectViews(path);
  if (!rebuilt.usable) throw new Error(`the views were rebuilt, and ${rebuilt.reason}`);
  return rebuilt.progress;
};

type Following = ReturnType<typeof follow>;

/** Follows the log from where the views are. */
const follow = (options: ViewsOptions, start: Progress, failed: (failure: WriterFailure) => void) => {
  const { store, directory, onBatch } = options;
  const progress = viewsProgress(start.position);
  const reading = new AbortController();
  let stopped = false;

  const fail = (failure: WriterFailure): void => {
    if (stopped) return;
    stopped = true;
    reading.abort();
    progress.stop(failure.error);
    failed(failure);
  };
  const writer = writerClient(
    { mode: "live", path: viewsPath(directory) },
    {
      written: ({ position, events, durationMs, soonest }) => {
        if (stopped) return;
        progress.advance(position, soonest);
        onBatch?.({ events, durationMs, position });
      },
      failed: fail,
    },
  );

  const read = async (): Promise<void> => {
    try {
      await writer.ready;
      for await (const batch of store.subscribe(start.position, { signal: reading.signal })) await writer.send(batch);
    } catch (error) {
      fail({ error: new Error("the views cannot read the log", { cause: error }), damaged: false });
    }
  };
  const reader = read();

  const stop = async (): Promise<void> => {
    const wasStopped = stopped;
    stopped = true;
    reading.abort();
    progress.stop(new Error("the views are closed"));
    await reader;
    if (wasStopped) await writer.terminate();
    else await writer.end();
  };

  return { progress, writer, fail, stop };
};

/** Follows the log until the views are at its head; undefined when they have shown to be damaged on the way. */
const start = async (options: ViewsOptions, failed: (failure: WriterFailure) => void): Promise<Following | undefined> => {
  const progress = await prepare(options);
  const head = options.store.head();
  let early: WriterFailure | undefined;
  let isOpen = false;
  const following = follow(options, progress, (failure) => {
    early = failure;
    if (isOpen) failed(failure);
  });
  try {
    await following.writer.ready;
    await following.progress.passed(head);
  } catch (error) {
    await following.stop().catch(() => undefined);
    if (early?.damaged === true) return undefined;
    throw error;
  }
  isOpen = true;
  return following;
};

/** Starts with views that are not damaged, if need be with new ones. */
const startWhole = async (options: ViewsOptions, failed: (failure: WriterFailure) => void): Promise<Following> => {
  const first = await start(options, failed);
  if (first !== undefined) return first;
  options.onRebuild?.("they are damaged");
  removeViews(viewsPath(options.directory));
  const second = await start(options, failed);
  if (second === undefined) throw new Error("the views are damaged again as soon as they are rebuilt: the disk cannot be trusted");
  return second;
};

/**
 * Opens the views in `directory` and brings them up to the log's head, building them anew where there are none that can
 * be used (another version, damaged, or not of this log). From then on they follow the log by themselves.
 *
 * @throws an error that names the event, when there is one that the views cannot take.
 */
export const openViews = async (options: ViewsOptions): Promise<Views> => {
  const path = viewsPath(options.directory);
  await mkdir(options.directory, { recursive: true });
  let isSpoilt = false;
  const { progress, writer, fail, stop } = await startWhole(options, ({ error, damaged }) => {
    isSpoilt = damaged;
    options.onFailure(error);
  });
  const reader = viewsReader(path, (error) => {
    fail({ error, damaged: true });
  });
  const close = async (): Promise<void> => {
    try {
      await stop();
    } finally {
      reader.close();
      // Damage shows only where it is read; the next start must not trust the rest.
      if (isSpoilt) removeViews(path);
    }
  };
  let closing: Promise<void> | undefined;

  return {
    readModel: readModel(reader, progress, writer.forget),
    queries: { ...lists(reader), ...histories(reader), queue: queueList(reader), retired: retiredList(reader), calls: callLists(reader) },
    digest: (digestOptions) => viewsDigest(path, digestOptions),
    close: () => (closing ??= close()),
  };
};
