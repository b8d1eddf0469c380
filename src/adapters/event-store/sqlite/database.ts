/** Opens the database file: creates or migrates it, sets what durability and speed rest on, and notices a damaged one. */
import { closeSync, fsyncSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { explained, unavailable } from "./trouble.ts";

/** Marks the file as ours (PRAGMA application_id); `PHES` in ASCII. */
const APPLICATION_ID = 0x50_48_45_53;

/**
 * From schema version n to n + 1; the length of the list is the current version (PRAGMA user_version). Entries that were
 * released are never changed.
 *
 * Positions and content ids are rowids of our own choice, so both tables grow at their end. The index on streams also
 * makes a revision unique. `high_water` is the head at the last deletion: without it, deleting the newest stream and
 * restarting would give its positions out again. The first chunk of a content lies in `contents`, the others, if it is
 * large, in `content_chunks`.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE events (
     position INTEGER PRIMARY KEY, stream TEXT NOT NULL, revision INTEGER NOT NULL,
     type TEXT NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL, data TEXT NOT NULL
   ) STRICT;
   CREATE UNIQUE INDEX events_by_stream ON events (stream, revision);
   CREATE TABLE high_water (position INTEGER NOT NULL) STRICT;
   INSERT INTO high_water VALUES (0);
   CREATE TABLE checkpoints (name TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE contents (id INTEGER PRIMARY KEY, size INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
   CREATE TABLE content_chunks (
     content INTEGER NOT NULL, chunk INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (content, chunk)
   ) STRICT, WITHOUT ROWID;`,
];

/** Octets; larger than the default because events and short messages then overflow less, and groups touch fewer pages. */
const PAGE_SIZE = 8_192;

const number = (db: DatabaseSync, sql: string): number => {
  const value = Object.values(db.prepare(sql).get() ?? {})[0];
  return typeof value === "number" ? value : 0;
};

const migrate = (db: DatabaseSync, file: string): void => {
  const version = number(db, "PRAGMA user_version");
  if (version > MIGRATIONS.length) throw unavailable("newerSchema", file, `schema ${version}, this release knows ${MIGRATIONS.length}`);
  const ours = number(db, "PRAGMA application_id") === APPLICATION_ID;
  const isEmpty = number(db, "SELECT count(*) FROM sqlite_schema") === 0;
  if (!ours && !isEmpty) throw unavailable("corrupt", file, "another application's database");
  if (isEmpty) db.exec(`PRAGMA page_size = ${PAGE_SIZE}; PRAGMA journal_mode = WAL`);
  if (version === MIGRATIONS.length) return;
  db.exec(`BEGIN IMMEDIATE; ${MIGRATIONS.slice(version).join("\n")}
    PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`);
};

/** Touches the ends of all trees and compares sizes: finds a file cut short or overwritten without reading all of it. */
const inspect = (db: DatabaseSync, file: string): void => {
  if (number(db, "PRAGMA user_version") === 0) return;
  for (const sql of [
    "SELECT data FROM events ORDER BY position DESC LIMIT 1",
    "SELECT stream FROM events ORDER BY stream DESC, revision DESC LIMIT 1",
    "SELECT stream FROM events ORDER BY stream, revision LIMIT 1",
    "SELECT id FROM contents ORDER BY id DESC LIMIT 1",
    "SELECT content FROM content_chunks ORDER BY content DESC LIMIT 1",
    "SELECT count(*) FROM checkpoints",
  ]) {
    db.prepare(sql).get();
  }
  const expected = number(db, "PRAGMA page_count") * number(db, "PRAGMA page_size");
  const { size } = statSync(file);
  if (size < expected) throw unavailable("corrupt", file, `${size} octets long, ${expected} expected`);
};

/** New names in a directory are durable only when the directory is synced too. */
const syncDirectory = (directory: string): void => {
  const handle = openSync(directory, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
};

/** `maxBytes` bounds the file: beyond it, appends fail as on a full disk. */
export type DatabaseOptions = { readonly file: string; readonly maxBytes?: number };

/**
 * The connection of the one writer.
 *
 * @throws StoreUnavailable when the file cannot be used; it names the file and the reason.
 */
export const openDatabase = ({ file, maxBytes }: DatabaseOptions): DatabaseSync => {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: 1_000 });
    migrate(db, file);
    // FULL: a commit returns when the write-ahead log is on the disk; fullfsync says so to macOS too. Checkpoints are run
    // by the writer between commits, not inside of one that somebody waits for.
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA wal_autocheckpoint = 0;
      PRAGMA journal_size_limit = ${64 * 1_024 * 1_024}; PRAGMA cache_size = -${8 * 1_024}; PRAGMA wal_checkpoint(TRUNCATE)`);
    inspect(db, file);
    if (maxBytes !== undefined) db.exec(`PRAGMA max_page_count = ${Math.floor(maxBytes / number(db, "PRAGMA page_size"))}`);
    syncDirectory(dirname(file));
    return db;
  } catch (error) {
    db?.close();
    throw explained(error, file);
  }
};

/** A connection that only reads, beside the writer's. */
export const openForReading = (file: string): DatabaseSync => {
  try {
    const db = new DatabaseSync(file, { readOnly: true, timeout: 1_000 });
    db.exec(`PRAGMA cache_size = -${2 * 1_024}`);
    return db;
  } catch (error) {
    throw explained(error, file);
  }
};
