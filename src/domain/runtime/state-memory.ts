/** States of streams that were used lately: a bounded number, what was kept long ago goes first. */
import { recentMap } from "../recent-map.ts";

export type Loaded<State> = { readonly state: State; readonly revision: number };

/** A state with the events that are not folded yet: most births are read by nobody for a while. */
type Entry<State, Event> = { state: State; tail: readonly Event[]; readonly revision: number };

export type StateMemory<State, Event> = {
  /** The state as it was last kept; undefined when it is not in memory. */
  readonly recall: (stream: string) => Loaded<State> | undefined;
  /** Keeps the state that follows from `state` and `tail`; `revision` is the stream's after both. */
  readonly keep: (stream: string, state: State, tail: readonly Event[], revision: number) => void;
  readonly forget: (stream: string) => void;
  readonly has: (stream: string) => boolean;
};

export const stateMemory = <State, Event>(
  limit: number,
  fold: (state: State, events: readonly Event[]) => State,
): StateMemory<State, Event> => {
  const entries = recentMap<Entry<State, Event>>(limit);
  return {
    recall: (stream) => {
      const entry = entries.get(stream);
      if (entry === undefined) return undefined;
      entry.state = fold(entry.state, entry.tail);
      entry.tail = [];
      return entry;
    },
    keep: (stream, state, tail, revision) => {
      entries.set(stream, { state, tail, revision });
    },
    forget: entries.delete,
    has: (stream) => entries.get(stream) !== undefined,
  };
};
