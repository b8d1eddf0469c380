/**
 * The SQLite file that keeps the views. It can be lost at any time: whatever is wrong with it, the answer is a new one
 * built from the log. So its commits are not synced; after a power loss it is at some earlier place of the log.
 */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Instant } from "../../domain/clock.ts";
import type { Position } from "../../domain/event-log.ts";
import { fingerprint, indexStatements, tableStatements } from "./ddl.ts";

/** How far a file has come. `lastPosition` is that of the last event in it, which `lastStream` and `lastRevision` name. */
export type Progress = {
  readonly position: Position;
  readonly newestAt: Instant;
  readonly lastPosition: Position;
  readonly lastStream: string;
  readonly lastRevision: number;
};

/** A usable file's progress, or why it cannot be used. */
export type Inspection = { readonly usable: true; readonly progress: Progress } | { readonly usable: false; readonly reason: string };

/** Waits this long for another process that reads the file. */
const BUSY_TIMEOUT_MS = 5_000;
/** Pages of 4 KiB in the write-ahead log before it is copied back, which is the only time that something is synced. */
const CHECKPOINT_PAGES = 4_096;

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** Whether an error says that the file itself is damaged. */
export const isDamage = (error: unknown): boolean => {
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    const code: unknown = "errcode" in each ? each.errcode : undefined;
    if (typeof code === "number" && [SQLITE_CORRUPT, SQLITE_NOTADB].includes(code & 0xff)) return true;
  }
  return false;
};

const readProgress = (db: DatabaseSync): Progress & { readonly fingerprint: string; readonly complete: number } => {
  const row = db.prepare("SELECT fingerprint, complete, position, newestAt, lastPosition, lastStream, lastRevision FROM meta").get();
  if (row === undefined) throw new Error("it says nothing about itself");
  return row as unknown as ReturnType<typeof readProgress>;
};

/** Looks at a file without changing it. Damage further inside shows later, when it is read. */
export const inspectViews = (path: string): Inspection => {
  if (!existsSync(path)) return { usable: false, reason: "there are none" };
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    const progress = readProgress(db);
    if (progress.fingerprint !== fingerprint()) return { usable: false, reason: "they are of another version" };
    if (progress.complete !== 1) return { usable: false, reason: "they were not finished" };
    return { usable: true, progress };
  } catch (error) {
    return { usable: false, reason: `they cannot be read (${error instanceof Error ? error.message : String(error)})` };
  } finally {
    db?.close();
  }
};

/** Removes a views file with what belongs to it. */
export const removeViews = (path: string): void => {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(path + suffix, { force: true });
};

/** Opens a finished file for the one writer. */
export const openForWriting = (path: string): { readonly db: DatabaseSync; readonly progress: Progress } => {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
    PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY`);
  return { db, progress: readProgress(db) };
};

/** Opens a finished file for reading beside the writer. */
export const openForReading = (path: string): DatabaseSync => {
  const db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  db.exec("PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY");
  return db;
};

/** A new file for a rebuild, with tables and without indexes, journal or syncing: if it is not finished it is nothing. */
export const createForRebuild = (path: string): DatabaseSync => {
  removeViews(path);
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -65536;
    PRAGMA temp_store = FILE`);
  for (const sql of tableStatements()) db.exec(sql);
  db.prepare("INSERT INTO meta VALUES (1, ?, 0, 0, 0, 0, '', -1)").run(fingerprint());
  return db;
};

/** Makes a rebuilt file whole, and sure to be on disk. */
export const finishRebuild = (db: DatabaseSync, path: string): void => {
  for (const sql of indexStatements()) db.exec(sql);
  db.exec("UPDATE meta SET complete = 1");
  db.close();
  const file = openSync(path, "r+");
  fsyncSync(file);
  closeSync(file);
};

/** Puts a finished file in the place of the one in use, which nobody may have open. */
export const swapIn = (newPath: string, path: string): void => {
  removeViews(path);
  renameSync(newPath, path);
  const directory = openSync(dirname(path), "r");
  fsyncSync(directory);
  closeSync(directory);
};

/** Saves progress in the transaction that made it. */
export const progressWriter = (db: DatabaseSync): ((progress: Progress) => void) => {
  const statement = db.prepare("UPDATE meta SET position = ?, newestAt = ?, lastPosition = ?, lastStream = ?, lastRevision = ?");
  return ({ position, newestAt, lastPosition, lastStream, lastRevision }) => {
    statement.run(position, newestAt, lastPosition, lastStream, lastRevision);
  };
};
