/**
 * Group commit: carries out all operations that wait in one transaction, so that one sync of the disk serves them all. A
 * conflicting append fails alone; if the transaction fails it is rolled back, and its operations are tried one by one, so
 * that one too large or too wrong does not take its neighbours along.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Position } from "../../../domain/event-log.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import { changes } from "./changes.ts";
import { eventCount, type Commit, type Failure, type Operation, type Outcome } from "./operations.ts";
import { explained } from "./trouble.ts";

/** Pages in the write-ahead log that make a checkpoint worth its syncs; 16 MiB. */
const CHECKPOINT_PAGES = 2_048;

export type Writer = {
  /** Never throws: trouble is in the outcomes. Returns when the disk has it. */
  readonly commit: (operations: readonly Operation[]) => Commit;
  /** Moves the write-ahead log into the database when it has grown; for the moments between commits. */
  readonly tidy: () => void;
  /** Position of the newest event. */
  readonly head: () => Position;
  readonly close: () => void;
};

const failure = (error: unknown, file: string): Failure => {
  const known = explained(error, file);
  if (known instanceof StoreUnavailable) return { reason: known.reason, message: known.message };
  return { reason: null, message: error instanceof Error ? error.message : String(error) };
};

/** Writes through a connection that nobody else writes with. `file` is its name in messages. */
export const writer = (db: DatabaseSync, file: string): Writer => {
  const { perform, head, forget } = changes(db);
  const begin = db.prepare("BEGIN IMMEDIATE");
  const end = db.prepare("COMMIT");
  const logSize = db.prepare("PRAGMA wal_checkpoint(NOOP)");

  /** All of them, or an exception and none of them. */
  const transaction = (operations: readonly Operation[]): readonly Outcome[] => {
    const before = head();
    try {
      begin.run();
      const outcomes = operations.map(perform);
      end.run();
      return outcomes;
    } catch (error) {
      forget(before);
      if (db.isTransaction) db.exec("ROLLBACK"); // a full disk may have rolled it back already
      throw error;
    }
  };

  const attempt = (operations: readonly Operation[]): readonly Outcome[] => {
    try {
      return transaction(operations);
    } catch (error) {
      if (operations.length > 1) return operations.flatMap((operation) => attempt([operation]));
      return [failure(error, file)];
    }
  };

  return {
    commit: (operations) => {
      const startedAt = performance.now();
      const outcomes = attempt(operations);
      const durationMs = performance.now() - startedAt;
      const stored = operations.filter((operation, index) => operation.kind === "append" && typeof outcomes[index] === "number");
      return { outcomes, events: stored.reduce((sum, operation) => sum + eventCount(operation), 0), appends: stored.length, durationMs };
    },
    tidy: () => {
      try {
        if (Number(logSize.get()?.["log"] ?? 0) >= CHECKPOINT_PAGES) db.exec("PRAGMA wal_checkpoint(PASSIVE)");
      } catch {
        // A full or failing disk: the log keeps what is stored, and the next commit tells whoever waits.
      }
    },
    head,
    close: () => {
      try {
        db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      } catch {
        // Not needed: the next start reads the log.
      }
      db.close();
    },
  };
};
