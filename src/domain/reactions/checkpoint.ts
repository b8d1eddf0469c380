/**
 * The durable place of a reader that does not wait for its own checkpoints: they are saved in order, one at a time, each
 * after the jobs of its batch, and those in between are skipped.
 */
import type { Position } from "../event-log.ts";

export type Checkpoint = {
  /** Everything up to `position` has been handled once `jobs` are done. */
  readonly note: (position: Position, jobs: readonly Promise<unknown>[]) => void;
  /** Resolves when what was noted is saved. */
  readonly saved: () => Promise<void>;
  /** Rejects when a job or a save fails; then nothing more is saved. */
  readonly failed: Promise<never>;
};

export const checkpointOf = (save: (position: Position) => Promise<void>): Checkpoint => {
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined); // whoever reads the log looks at it
  let noted: { position: Position; jobs: Promise<unknown>[] } | undefined;
  let saving: Promise<void> | undefined;

  const saveNoted = async (): Promise<void> => {
    while (noted !== undefined) {
      const { position, jobs } = noted;
      noted = undefined;
      await Promise.all(jobs);
      await save(position);
    }
    saving = undefined;
  };

  return {
    note: (position, jobs) => {
      for (const job of jobs) job.catch(() => undefined); // its turn to be looked at may come later
      noted = { position, jobs: [...(noted?.jobs ?? []), ...jobs] };
      saving ??= saveNoted().catch((error: unknown) => {
        failure.reject(error);
      });
    },
    saved: async () => {
      await Promise.race([saving, failure.promise]);
    },
    failed: failure.promise,
  };
};
