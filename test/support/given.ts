/**
 * A grammar for decisions: given what happened, when somebody asks for something, then this follows. It checks with the
 * chart what the actor runtime would check, so that a decision that could never be stored fails its test.
 */
import assert from "node:assert/strict";
import type { DomainEvent } from "../../src/domain/events.ts";
import type { ActorKind } from "../../src/domain/runtime/actor.ts";

export type Answer<State, Event, Effect> = {
  /** Exactly these events, all of them legal; none: the command changes nothing. */
  readonly then: (...events: readonly Event[]) => Answer<State, Event, Effect>;
  /** Events of these types, in this order. */
  readonly thenOfTypes: (...types: readonly string[]) => Answer<State, Event, Effect>;
  readonly changesNothing: () => void;
  /** The chart does not allow it. */
  readonly refuses: () => void;
  readonly asksFor: (...effects: readonly Effect[]) => Answer<State, Event, Effect>;
  readonly events: readonly Event[];
  /** State after the events. */
  readonly state: State;
};

/** The grammar for one kind of actor. `terms` hold unless a `when` changes them. */
export const grammar =
  <State, Command, Event extends DomainEvent, Effect, Terms>(kind: ActorKind<State, Command, Event, Effect, Terms>, terms: Terms) =>
  (...history: readonly Event[]) => ({
    when: (command: Command, changed: Partial<Terms> = {}): Answer<State, Event, Effect> => {
      let state = kind.unborn;
      for (const event of history) {
        assert.ok(kind.can(state, event), `the story is impossible at ${event.type}`);
        state = kind.advance(state, event)[0];
      }
      const events = kind.decide(command, state, { ...terms, ...changed });
      const [first] = events;
      const refused = first !== undefined && !kind.can(state, first);
      const effects: Effect[] = [];
      for (const event of refused ? [] : events) {
        assert.ok(kind.can(state, event), `decided on ${event.type}, which cannot happen there`);
        const [next, asked] = kind.advance(state, event);
        state = next;
        effects.push(...asked);
      }
      const check = (run: () => void): Answer<State, Event, Effect> => {
        assert.ok(!refused, `refused: ${first?.type ?? ""}`);
        run();
        return answer;
      };
      const answer: Answer<State, Event, Effect> = {
        then: (...expected) => check(() => assert.deepEqual(events, expected)),
        thenOfTypes: (...types) =>
          check(() =>
            assert.deepEqual(
              events.map(({ type }) => type),
              types,
            ),
          ),
        changesNothing: () => void check(() => assert.deepEqual(events, [])),
        refuses: () => assert.ok(refused, `not refused: ${JSON.stringify(events)}`),
        asksFor: (...expected) => check(() => assert.deepEqual(effects, expected)),
        events,
        state,
      };
      return answer;
    },
  });
