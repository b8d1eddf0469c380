/**
 * Keeps fromids that submitters choose unique. The views know those that are stored; those of the last moments, which the
 * views have not seen yet, are remembered here, so that two submissions at the same time cannot both have one.
 */
import type { EventLog, Position } from "../event-log.ts";
import type { ReadModel } from "../runtime/read-model.ts";

/** To be kept or given back when the submission is stored or is not. */
export type FromIdClaim = { readonly settle: () => void; readonly release: () => void };

export type ChosenFromIds = {
  /** Undefined when another message has this fromid. */
  readonly claim: (fromId: string) => FromIdClaim | undefined;
};

export type ChosenFromIdsOptions = {
  readonly log: Pick<EventLog, "head">;
  readonly readModel: Pick<ReadModel, "position" | "messageOfFromId">;
};

export const chosenFromIds = ({ log, readModel }: ChosenFromIdsOptions): ChosenFromIds => {
  /** Where the message stands in the log at the latest; undefined while it is being stored. In the order of claims. */
  const recent = new Map<string, Position | undefined>();

  /** Forgets what the views show by now. */
  const forgetShown = (): void => {
    const shown = readModel.position();
    for (const [fromId, storedAt] of recent) {
      if (storedAt !== undefined && storedAt <= shown) recent.delete(fromId);
    }
  };

  return {
    claim: (fromId) => {
      forgetShown();
      if (recent.has(fromId) || readModel.messageOfFromId(fromId) !== undefined) return undefined;
      recent.set(fromId, undefined);
      return {
        settle: () => void recent.set(fromId, log.head()),
        release: () => void recent.delete(fromId),
      };
    },
  };
};
