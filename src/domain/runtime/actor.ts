/**
 * Actors: one turn at a time per stream. A turn loads the state (cache, else fold), decides, asks the chart, appends
 * with the expected revision, on conflict reloads and decides again, and only then hands over the effects: nothing is
 * acted on before it is stored.
 */
import type { EventLog, EventWrite, NewContent, Position } from "../event-log.ts";
import { NO_STREAM } from "../event-log.ts";
import type { DomainEvent } from "../events.ts";
import { stateMemory, type Loaded } from "./state-memory.ts";
import { serialTurns } from "./turns.ts";

/** What makes a kind of actor: all pure. */
export type ActorKind<State, Command, Event extends DomainEvent, Effect, Terms> = {
  readonly unborn: State;
  readonly decide: (command: Command, state: State, terms: Terms) => readonly Event[];
  /** Whether the event may happen in this state. */
  readonly can: (state: State, event: Event) => boolean;
  readonly advance: (state: State, event: Event) => readonly [State, readonly Effect[]];
  /** Whether nothing will ask for it any more, so that its state need not stay in memory. */
  readonly isDone: (state: State) => boolean;
};

/**
 * - `done`: events were stored (perhaps none: the command changed nothing). `position` is where they, or what they
 *   rest on, stand in the log; `revision` is the stream's.
 * - `refused`: the chart does not allow it in this state; nothing was stored. The state rests on `position` at most.
 */
export type Turn<State, Event, Effect> =
  | {
      readonly kind: "done";
      readonly events: readonly Event[];
      readonly state: State;
      readonly effects: readonly Effect[];
      readonly position: Position;
      readonly revision: number;
    }
  | { readonly kind: "refused"; readonly state: State; readonly position: Position };

/** Conflicts in a row after which a turn gives up: somebody else is far busier with this stream. */
const MAX_CONFLICTS = 16;

export class ContentionError extends Error {}

/** `isWaiting`: nothing will be asked of it for a while, so its state need not be in memory. */
export type Birth<Event> = { readonly stream: string; readonly events: readonly Event[]; readonly isWaiting?: boolean };

export type ActorRuntime<State, Command, Event, Effect> = {
  /** Carries a command out. Throws when the store is out of order; then nothing was acknowledged. */
  readonly execute: (stream: string, command: Command) => Promise<Turn<State, Event, Effect>>;
  /**
   * Stores the first events of several new streams, with contents, all or none. False when one of the streams exists
   * already. The caller vouches that the events are legal births. `alongside`: streams of other kinds, stored with them.
   */
  readonly create: (
    births: readonly Birth<Event>[],
    contents: readonly NewContent[],
    alongside?: readonly EventWrite[],
  ) => Promise<Position | false>;
  /** The stream's state as stored; `revision` is {@link NO_STREAM} when there is no such stream. */
  readonly load: (stream: string) => Promise<Loaded<State>>;
};

type Kind<State, Event, Effect> = Pick<ActorKind<State, never, Event & DomainEvent, Effect, never>, "can" | "advance">;

/** The chart has the last word: the state after all events, or undefined when it refuses the first. */
const legal = <State, Event extends DomainEvent, Effect>(
  kind: Kind<State, Event, Effect>,
  before: State,
  events: readonly Event[],
): { readonly state: State; readonly effects: readonly Effect[] } | undefined => {
  let state = before;
  const effects: Effect[] = [];
  for (const [index, event] of events.entries()) {
    if (!kind.can(state, event)) {
      if (index === 0) return undefined;
      throw new Error(`decided on ${event.type}, which cannot follow ${events[index - 1]?.type ?? ""}`);
    }
    const [next, asked] = kind.advance(state, event);
    state = next;
    effects.push(...asked);
  }
  return { state, effects };
};

/**
 * Runs the actors of one kind. `remember` bounds the states kept in memory. `keepsWhatIsRead`: also a state that was only
 * looked at is kept, even that there is none; for kinds that `create` is not used with, which knows nothing of that.
 */
export const actorRuntime = <State, Command, Event extends DomainEvent, Effect, Terms>(options: {
  readonly log: EventLog;
  readonly kind: ActorKind<State, Command, Event, Effect, Terms>;
  readonly terms: (stream: string, command: Command, state: State) => Terms;
  readonly remember: number;
  readonly keepsWhatIsRead?: boolean;
}): ActorRuntime<State, Command, Event, Effect> => {
  const { log, kind, terms, remember, keepsWhatIsRead = false } = options;
  const fold = (from: State, events: readonly Event[]): State => events.reduce((state, event) => kind.advance(state, event)[0], from);
  const memory = stateMemory<State, Event>(remember, fold);
  const turns = serialTurns();

  const read = async (stream: string): Promise<Loaded<State>> => {
    const recorded = await log.read(stream);
    // The stream's name says whose events it holds.
    const events = recorded.map(({ event }) => event) as Event[];
    return { state: fold(kind.unborn, events), revision: recorded.at(-1)?.revision ?? NO_STREAM };
  };

  /** In a turn of its own, so that nothing is stored between reading and keeping. */
  const readAndKeep = (stream: string): Promise<Loaded<State>> =>
    turns.take(stream, async () => {
      const loaded = memory.recall(stream) ?? (await read(stream));
      memory.keep(stream, loaded.state, [], loaded.revision);
      return loaded;
    });

  /** What is in memory is the truth only where nobody else writes. */
  const load = async (stream: string): Promise<Loaded<State>> => {
    if (!log.exclusive) return read(stream);
    return memory.recall(stream) ?? (keepsWhatIsRead ? readAndKeep(stream) : read(stream));
  };

  const turn = async (stream: string, command: Command): Promise<Turn<State, Event, Effect>> => {
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
      const remembered = memory.recall(stream);
      const { state, revision } = remembered ?? (await read(stream));
      const events = kind.decide(command, state, terms(stream, command, state));
      const next = legal(kind, state, events);
      if (next === undefined || events.length === 0) {
        if (remembered === undefined || log.exclusive) {
          const position = log.head();
          return next === undefined ? { kind: "refused", state, position } : { kind: "done", events, ...next, position, revision };
        }
        // No append will tell whether another node knows more: look.
        memory.forget(stream);
        continue;
      }
      const result = await log.append([{ stream, expectedRevision: revision, events }]);
      if (result.appended) {
        const reached = revision + events.length;
        if (kind.isDone(next.state)) memory.forget(stream);
        else memory.keep(stream, next.state, [], reached);
        return { kind: "done", events, ...next, position: result.position, revision: reached };
      }
      memory.forget(stream);
    }
    throw new ContentionError(`${stream} kept changing under a command`);
  };

  const execute = async (stream: string, command: Command): Promise<Turn<State, Event, Effect>> => {
    try {
      return await turns.take(stream, () => turn(stream, command));
    } catch (error) {
      memory.forget(stream); // whether the append was stored is unknown: read again
      throw error;
    }
  };

  const create: ActorRuntime<State, Command, Event, Effect>["create"] = async (births, contents, alongside = []) => {
    const writes = births.map(({ stream, events }) => ({ stream, expectedRevision: NO_STREAM, events }));
    const result = await log.append([...writes, ...alongside], contents);
    if (!result.appended) return false;
    for (const { stream, events, isWaiting } of births) {
      // A turn that was quicker than this acknowledgement knows more.
      if (isWaiting !== true && !memory.has(stream) && !turns.isTaken(stream)) memory.keep(stream, kind.unborn, events, events.length - 1);
    }
    return result.position;
  };

  return { execute, create, load };
};
