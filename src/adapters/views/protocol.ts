/** What the main thread and the thread that writes the views tell each other. */
import type { Position } from "../../domain/event-log.ts";
import type { Soonest } from "../../domain/runtime/read-model.ts";
import type { Key } from "../../projections/projection.ts";
import type { PackedBatch } from "./packed-batch.ts";

/** `rebuild` makes a new file at `path`, `live` goes on with a finished one. */
export type WriterData = { readonly mode: "live" | "rebuild"; readonly path: string };

export type ToWriter =
  | { readonly kind: "batch"; readonly batch: PackedBatch }
  /** Take this row out of the schedule; `token` comes back when it is done. */
  | { readonly kind: "forget"; readonly key: Key; readonly token: number }
  /** No more will come: finish, and end. */
  | { readonly kind: "end" };

export type FromWriter =
  | { readonly kind: "ready" }
  /** One transaction: this many of the messages sent are done, the views are at `position`. */
  | {
      readonly kind: "written";
      readonly position: Position;
      readonly events: number;
      readonly durationMs: number;
      readonly forgotten: readonly number[];
      /** What it put into the schedule. */
      readonly soonest: Soonest;
    }
  /** Finished and closed. */
  | { readonly kind: "ended" }
  /** Nothing more will be written. `damaged`: the file itself is broken, and a new one has to be built. */
  | { readonly kind: "failed"; readonly error: Error; readonly damaged: boolean };
