/** What the files of a stopped server say: for checks that trust no running code of it. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { codec } from "../../src/adapters/event-store/codec.ts";
import { eventLog } from "../../src/adapters/event-store/event-log.ts";
import { openSqliteStore } from "../../src/adapters/event-store/sqlite/open.ts";
import { openViews } from "../../src/adapters/views/open-views.ts";
import { viewsPath } from "../../src/adapters/views/rebuild.ts";
import { removeViews } from "../../src/adapters/views/views-file.ts";
import type { Recorded } from "../../src/domain/event-log.ts";

export type Aftermath = {
  readonly events: readonly Recorded[];
  readonly contentIds: readonly number[];
  /** Digest of the views as they were left and caught up, and of those built anew. */
  readonly digests: readonly [live: string, rebuilt: string];
  /** What SQLite's own check says of each file; `ok` when it finds nothing. */
  readonly integrity: readonly string[];
};

const integrityOf = (file: string): string => {
  const db = new DatabaseSync(file);
  try {
    return String(db.prepare("PRAGMA integrity_check").get()?.["integrity_check"]);
  } finally {
    db.close();
  }
};

/** Reads a data directory that nobody uses; its views are built anew. */
export const aftermath = async (directory: string): Promise<Aftermath> => {
  const integrity = [join(directory, "events.sqlite"), viewsPath(directory)].map(integrityOf);
  const store = await openSqliteStore({ directory });
  const onFailure = (error: Error): never => {
    throw error;
  };
  const digest = async (): Promise<string> => {
    const views = await openViews({ store, directory, onFailure });
    try {
      return await views.digest();
    } finally {
      await views.close();
    }
  };
  try {
    const done = new AbortController();
    const events: Recorded[] = [];
    if (store.head() > 0) {
      for await (const batch of eventLog(store, codec).subscribe(0, { signal: done.signal })) {
        events.push(...batch.events);
        if (batch.upTo >= store.head()) break;
      }
    }
    const live = await digest();
    removeViews(viewsPath(directory));
    return { events, contentIds: await store.storedContentIds(0, 1_000_000), digests: [live, await digest()], integrity };
  } finally {
    await store.close();
  }
};
