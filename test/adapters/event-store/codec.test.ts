/** Every event comes back from storage as it went in, and nothing else comes in or out. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import type * as z from "zod";
import { codec, eventSchemas } from "../../../src/adapters/event-store/codec.ts";
import { UnreadableEvent } from "../../../src/adapters/event-store/event-codec.ts";
import type { EncodedEvent, StoredEvent } from "../../../src/adapters/event-store/event-store.ts";
import type { DomainEvent, DomainEventType } from "../../../src/domain/events.ts";
import { arbitraryEventOf } from "./arbitrary-event.ts";

/** One readonly object instead of intersections, all the way down: what makes two spellings of a shape comparable. */
type Plain<T> = T extends object ? { readonly [Key in keyof T]: Plain<T[Key]> } : T;
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- two generic functions are one type only if A and B are
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Compared = {
  readonly [Type in DomainEventType]: Same<Plain<z.infer<(typeof eventSchemas)[Type]>>, Plain<Extract<DomainEvent, { type: Type }>>>;
};
type Mismatches = { [Type in DomainEventType]: Compared[Type] extends true ? never : Type }[DomainEventType];

/** Does not compile when a schema and its domain type differ in any key, type, null or option; the error names the event. */
const noMismatch: [Mismatches] extends [never] ? true : Mismatches = true;

const types = Object.keys(eventSchemas) as DomainEventType[];
const at = { stream: "message-1", revision: 4, position: 77 };
/** As it comes from storage: nothing is known of what it was made from. */
const stored = ({ type, version, at: happenedAt, data }: EncodedEvent): StoredEvent => ({ type, version, at: happenedAt, data, ...at });

const queued: DomainEvent = {
  type: "MessageHeld",
  at: 1_780_000_000_000,
  by: { kind: "operator", name: "ann" },
};

const unreadable = (event: Partial<StoredEvent>, why: RegExp): void => {
  assert.throws(
    () => codec.decode({ ...stored(codec.encode(queued)), ...event }),
    (error) => {
      assert.ok(error instanceof UnreadableEvent);
      assert.match(error.message, why);
      const type = event.type ?? queued.type;
      assert.ok(error.message.includes(`event ${type} (stream message-1, revision 4, position 77)`), error.message);
      assert.deepEqual([error.stream, error.revision, error.position, error.type], ["message-1", 4, 77, type]);
      return true;
    },
  );
};

describe("the schemas", () => {
  it("are the domain's types", () => {
    assert.ok(noMismatch);
  });
});

describe("an event of type", () => {
  for (const type of types) {
    it(`${type} comes back as it was stored`, () => {
      fc.assert(
        fc.property(arbitraryEventOf(type), (event) => {
          const encoded = codec.encode(event);
          assert.equal(encoded.type, event.type);
          assert.equal(encoded.at, event.at);
          assert.deepEqual(codec.decode(stored(encoded)), event);
        }),
        { numRuns: 50 },
      );
    });
  }
});

describe("a stored event", () => {
  it("is refused when its type is not known", () => unreadable({ type: "MessageTeleported" }, /type is not known/));
  it("is refused when its type is a name that every object has", () => unreadable({ type: "constructor" }, /type is not known/));
  it("is refused when its version is newer than this release", () => unreadable({ version: 2 }, /version 2 is not known/));
  it("is refused when its version makes no sense", () => {
    for (const version of [0, -1, 1.5, NaN]) unreadable({ version }, /is not known/);
  });
  it("is refused when its data is not JSON", () => unreadable({ data: '{"type":' }, /not JSON/));
  it("is refused when its data is no object", () => {
    for (const data of ["null", "[]", "1", '"x"']) unreadable({ data }, /not an object/);
  });
  it("is refused when a field is missing", () => unreadable({ data: '{"type":"MessageHeld","at":1}' }, /by: /));
  it("is refused when a field has another type", () => {
    unreadable({ data: '{"type":"MessageHeld","at":"1","by":{"kind":"operator","name":"ann"}}' }, /at: /);
  });
  it("is refused when it has a field that is not expected, at any depth", () => {
    unreadable({ data: '{"type":"MessageHeld","at":1,"by":{"kind":"operator","name":"ann"},"more":1}' }, /more/);
    unreadable({ data: '{"type":"MessageHeld","at":1,"by":{"kind":"operator","name":"ann","more":1}}' }, /more/);
    unreadable({ data: '{"type":"MessageHeld","at":1,"by":{"kind":"operator","name":"ann"},"__proto__":{}}' }, /__proto__/);
  });
  it("is refused when its data is another type's", () => unreadable({ type: "MessageReleased" }, /type: /));

  it("is not quoted in the error", () => {
    const data = '{"type":"MessageHeld","at":"secret one","by":{"kind":"secret two","name":5}}';
    assert.throws(
      () => codec.decode({ ...stored(codec.encode(queued)), data }),
      (error) => error instanceof Error && !error.message.includes("secret"),
    );
  });
});

describe("an event that is no event", () => {
  it("is not stored", () => {
    const wrong = [
      { ...queued, at: NaN },
      { ...queued, at: 1.5 },
      { ...queued, more: 1 },
      { ...queued, by: undefined },
      { type: "MessageTeleported", at: 1 },
    ];
    for (const event of wrong) assert.throws(() => codec.encode(event as unknown as DomainEvent), TypeError);
  });
});

describe("events stored by earlier releases", () => {
  // One line for each type and version that was ever released. If a line cannot be read any more, do not edit it: give
  // the type a new version and an upcaster (codec.ts), and add a line for the new version.
  const lines = readFileSync(new URL("stored-events.jsonl", import.meta.url), "utf8")
    .trim()
    .split("\n");
  const examples = lines.map(
    (line) => JSON.parse(line) as { readonly version: number; readonly data: { readonly type: string; readonly at: number } },
  );

  it("can be read", () => {
    for (const { version, data } of examples) {
      const event = codec.decode(stored({ type: data.type, version, at: data.at, data: JSON.stringify(data) }));
      assert.equal(event.type, data.type);
      if (version === codec.encode(event).version) assert.deepEqual(event, data);
    }
  });

  it("are here in every version", () => {
    const known = new Set(examples.map(({ version, data }) => `${data.type} ${version}`));
    for (const type of types) {
      const [event] = fc.sample(arbitraryEventOf(type), { numRuns: 1, seed: 1 });
      const current = codec.encode(event!).version;
      for (let version = 1; version <= current; version += 1)
        assert.ok(known.has(`${type} ${version}`), `${type} version ${version} has no example`);
    }
  });
});
