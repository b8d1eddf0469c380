/** What the writer thread is asked to do and what it answers, before and after the trip between the threads. */
import type { NewContent, Position } from "../../../domain/event-log.ts";
import type { StreamWrite } from "../event-store.ts";
import type { TroubleReason } from "../store-unavailable.ts";

/** One change that is stored whole or not at all. */
export type Operation =
  | { readonly kind: "append"; readonly writes: readonly StreamWrite[]; readonly contents: readonly NewContent[] }
  | { readonly kind: "deleteStream"; readonly stream: string }
  | { readonly kind: "saveCheckpoint"; readonly name: string; readonly position: Position }
  | { readonly kind: "deleteContents"; readonly ids: readonly number[] };

/**
 * What an operation came to.
 * - a number: done; for an append, the position before its first event.
 * - a string: the append conflicts on this stream.
 * - an object: it failed. `reason` is null when the operation itself was at fault.
 */
export type Outcome = number | string | Failure;
export type Failure = { readonly reason: TroubleReason | null; readonly message: string };

/** One transaction: outcomes in the order of the operations, and what it took. */
export type Commit = {
  readonly outcomes: readonly Outcome[];
  /** Events stored, and appends that stored them. */
  readonly events: number;
  readonly appends: number;
  /** From the transaction's begin until the disk has it, ms. */
  readonly durationMs: number;
};

/** How many events an operation adds. */
export const eventCount = (operation: Operation): number =>
  operation.kind === "append" ? operation.writes.reduce((sum, { events }) => sum + events.length, 0) : 0;
