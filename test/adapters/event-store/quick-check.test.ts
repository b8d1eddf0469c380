/** The quick check says yes to every event, and never to what zod refuses. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import * as z from "zod";
import { eventSchemas } from "../../../src/adapters/event-store/codec.ts";
import { quickCheck } from "../../../src/adapters/event-store/quick-check.ts";
import type { DomainEventType } from "../../../src/domain/events.ts";
import { arbitraryEventOf } from "./arbitrary-event.ts";

const types = Object.keys(eventSchemas) as DomainEventType[];

/** What does not belong where it is put. */
const odd = fc.constantFrom<unknown>(
  ...[undefined, null, "", "x", 0, -0, 1.5, NaN, Infinity, 2 ** 60, 10n, true, [], [undefined], {}, { "": 1 }, new Date(0)],
  ...[new Map(), Object.create(null), Object.create({ a: "b" }), Symbol("s"), () => 1],
);

type Change = { readonly at: number; readonly value: unknown; readonly how: "set" | "drop" | "add" };

/** A copy with one change somewhere in it, at any depth. */
const changed = (value: unknown, change: Change): unknown => {
  if (typeof value !== "object" || value === null || change.at % 7 === 0) return change.value;
  const keys = Object.keys(value);
  const key = keys[change.at % keys.length] ?? "new";
  const next = { ...change, at: Math.floor(change.at / 3) };
  if (Array.isArray(value)) return value.map((item: unknown, index) => (String(index) === key ? changed(item, next) : item));
  const copy: Record<string, unknown> = { ...value };
  if (change.how === "drop") Reflect.deleteProperty(copy, key);
  else copy[change.how === "add" ? `${key}2` : key] = change.how === "add" ? change.value : changed(copy[key], next);
  return copy;
};

const change = fc.record<Change>({ at: fc.nat(10_000), value: odd, how: fc.constantFrom("set", "drop", "add") });

describe("the quick check", () => {
  for (const type of types) {
    const schema: z.ZodType = eventSchemas[type];
    const fits = quickCheck(schema);

    it(`says yes to every ${type}`, () => {
      fc.assert(fc.property(arbitraryEventOf(type), fits), { numRuns: 100 });
    });

    it(`says yes to nothing that zod would not take for a ${type}`, () => {
      fc.assert(
        fc.property(arbitraryEventOf(type), change, (event, how) => {
          const broken = changed(event, how);
          return !fits(broken) || schema.safeParse(broken).success;
        }),
        { numRuns: 300 },
      );
    });
  }

  it("does not pass over the holes of a list", () => {
    const schema = z.array(z.string());
    const holes: unknown[] = ["a"];
    holes[2] = "c";
    assert.deepEqual([quickCheck(schema)(holes), schema.safeParse(holes).success], [false, false]);
  });

  it("leaves to zod what it does not know", () => {
    const others = [z.string().min(0), z.iso.date(), z.int32(), z.date(), z.looseObject({}), z.object({}), z.record(z.string(), z.int())];
    for (const schema of [...others, z.string().transform((text) => text), z.array(z.string()).max(3), z.string().default("")]) {
      const fits = quickCheck(schema);
      for (const value of ["", "2020-01-01", 1, new Date(), {}, { a: 1 }, [], ["a"]]) assert.equal(fits(value), false);
    }
  });
});
