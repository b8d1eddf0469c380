/** A life of random commands, carried out as the actor runtime would, but in memory: what the properties look at. */
import assert from "node:assert/strict";
import type { DomainEvent } from "../../src/domain/events.ts";
import type { ActorKind } from "../../src/domain/runtime/actor.ts";

export type Life<State, Event> = {
  readonly log: readonly Event[];
  /** The state after each command, the unborn one first. */
  readonly states: readonly State[];
};

/** `step` makes a command out of the state, so that it may name the open attempt, and the terms out of the step's number. */
export const live = <State, Command, Event extends DomainEvent, Effect, Terms>(
  kind: ActorKind<State, Command, Event, Effect, Terms>,
  steps: readonly ((state: State) => readonly [Command, Terms])[],
): Life<State, Event> => {
  const log: Event[] = [];
  const states: State[] = [kind.unborn];
  let state = kind.unborn;
  for (const step of steps) {
    const [command, terms] = step(state);
    const events = kind.decide(command, state, terms);
    const [first] = events;
    if (first === undefined || !kind.can(state, first)) continue;
    for (const event of events) {
      assert.ok(kind.can(state, event), `decided on ${events.map(({ type }) => type).join(", ")}, but ${event.type} is not legal there`);
      state = kind.advance(state, event)[0];
      log.push(event);
    }
    states.push(state);
  }
  return { log, states };
};
