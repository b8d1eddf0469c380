/** SQLite's error codes as what an operator can act on (https://www.sqlite.org/rescode.html). */
import { StoreUnavailable, type TroubleReason } from "../store-unavailable.ts";

const IOERR_SHMSIZE = 4_874; // the file system has no room for the index of the write-ahead log

const REASONS: Readonly<Record<number, TroubleReason>> = {
  5: "inUse", // BUSY
  6: "inUse", // LOCKED
  8: "readOnly",
  10: "ioError",
  11: "corrupt",
  13: "diskFull",
  14: "cannotOpen",
  26: "corrupt", // NOTADB
};

const ADVICE: Readonly<Record<TroubleReason, string>> = {
  diskFull: "no room is left for it: nothing of this was stored; free some disk space, no restart is needed",
  readOnly: "it cannot be written: check the permissions of the file and its directory, and how the volume is mounted",
  cannotOpen: "it cannot be opened: check that its directory exists and may be written by this user",
  ioError: "the disk reports an error: check the system's log for failing hardware or a lost volume",
  corrupt: "the file is damaged or is not an event store: keep a copy of it and restore a backup",
  newerSchema: "it was written by a newer release: start that release, or restore a backup made before it",
  inUse: "another process is using it: stop that process first",
  writerStopped: "the thread that writes it has ended: restart",
  closed: "the event store is closed",
};

/** The error for a reason. `detail` is what the system said, if it said something. */
export const unavailable = (reason: TroubleReason, file: string, detail?: string, cause?: unknown): StoreUnavailable =>
  new StoreUnavailable(
    reason,
    `event store ${file}: ${ADVICE[reason]}${detail === undefined ? "" : ` (${detail})`}`,
    cause === undefined ? undefined : { cause },
  );

/** SQLite's extended result code of an error; undefined when SQLite did not throw it. */
const sqliteCode = (error: unknown): number | undefined => {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  return error.errcode;
};

/** The trouble that made SQLite throw; undefined when the statement was at fault, or SQLite did not throw this. */
export const troubleReason = (error: unknown): TroubleReason | undefined => {
  const code = sqliteCode(error);
  if (code === undefined) return undefined;
  return code === IOERR_SHMSIZE ? "diskFull" : REASONS[code & 0xff];
};

/** What to throw for an error that came out of SQLite: trouble in an operator's words, anything else as it is. */
export const explained = (error: unknown, file: string): unknown => {
  const reason = troubleReason(error);
  if (reason === undefined || !(error instanceof Error)) return error;
  return unavailable(reason, file, `SQLite ${sqliteCode(error)}: ${error.message}`, error);
};
