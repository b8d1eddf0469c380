/**
 * Every cell of a chart: each state against each type of event. What is in the table must lead where the table says;
 * all the rest must be refused by `can` and change nothing.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DomainEvent } from "../../src/domain/events.ts";

/** A situation: how to get there, which state of the chart it is, and what may follow, with the state it leads to. */
export type Row<State extends string, Event extends DomainEvent> = {
  readonly state: State;
  readonly story: readonly Event[];
  readonly legal: Readonly<Partial<Record<Event["type"], State>>>;
};

type Snapshot = { readonly value: string; readonly context: unknown };

/** Declares the tests. `samples` has one event of every type; `states` are those of the machine itself. */
export const testMatrix = <State extends string, Event extends DomainEvent, S extends Snapshot>(chart: {
  readonly states: readonly string[];
  readonly unborn: S;
  readonly can: (state: S, event: Event) => boolean;
  readonly evolve: (state: S, event: Event) => S;
  readonly samples: Readonly<Record<Event["type"], Event>>;
  readonly rows: Readonly<Record<string, Row<State, Event>>>;
}): void => {
  const { unborn, can, evolve, samples, rows } = chart;
  const types = Object.keys(samples) as Event["type"][];

  const reach = (story: readonly Event[]): S =>
    story.reduce((state, event) => {
      assert.ok(can(state, event), `the story is impossible at ${event.type}`);
      return evolve(state, event);
    }, unborn);

  describe("the table", () => {
    it("has every state of the chart, and each is where its story leads", () => {
      assert.deepEqual(new Set(Object.values(rows).map(({ state }) => state)), new Set(chart.states));
      for (const { state, story } of Object.values(rows)) assert.equal(reach(story).value, state);
    });

    it("uses every type of event", () => {
      assert.deepEqual(new Set(Object.values(rows).flatMap(({ legal }) => Object.keys(legal))), new Set(types));
      for (const type of types) assert.equal(samples[type].type, type);
    });
  });

  for (const [situation, { story, legal }] of Object.entries(rows)) {
    describe(situation, () => {
      for (const type of types) {
        const target = legal[type];
        it(target === undefined ? `refuses ${type}` : `goes by ${type} to ${target}`, () => {
          const before = reach(story);
          const after = evolve(before, samples[type]);
          assert.equal(can(before, samples[type]), target !== undefined);
          assert.equal(after.value, target ?? before.value);
          if (target === undefined) assert.deepEqual(after.context, before.context);
        });
      }
    });
  }
};
