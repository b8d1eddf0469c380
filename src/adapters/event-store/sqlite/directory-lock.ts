/**
 * Keeps a second process out of a data directory. The lock is SQLite's own, on a file that holds nothing else: it works
 * wherever SQLite works, and the system drops it when the process dies, however it dies, so there is nothing stale to
 * clean up. The database itself cannot be locked this way, because its readers need it.
 */
import { DatabaseSync } from "node:sqlite";
import { explained, troubleReason, unavailable } from "./trouble.ts";

/**
 * Takes the lock; the function returned gives it back.
 *
 * @throws StoreUnavailable when another process has it, or the file cannot be made.
 */
export const lockDirectory = (lockFile: string, directory: string): (() => void) => {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(lockFile, { timeout: 0 });
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    lock?.close();
    if (troubleReason(error) === "inUse") throw unavailable("inUse", directory, `${lockFile} is locked`, error);
    throw explained(error, lockFile);
  }
  const held = lock;
  return () => {
    if (held.isOpen) held.close();
  };
};
