/** Versions: what an event looked like once is read as what it looks like now. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as z from "zod";
import { eventCodec, UnreadableEvent } from "../../../src/adapters/event-store/event-codec.ts";
import type { StoredEvent } from "../../../src/adapters/event-store/event-store.ts";

/** A parcel that was weighed in pounds at first, then had no sender, and now has both in today's form. */
type ParcelWeighed = { readonly type: "ParcelWeighed"; readonly at: number; readonly grams: number; readonly from: string | null };

const codec = eventCodec<ParcelWeighed>({
  ParcelWeighed: {
    schema: z.strictObject({ type: z.literal("ParcelWeighed"), at: z.int(), grams: z.number(), from: z.string().nullable() }),
    upcasters: [({ pounds, ...rest }) => ({ ...rest, grams: Math.round(Number(pounds) * 453.592) }), (data) => ({ ...data, from: null })],
  },
});

/** As the first release wrote it. */
const first: StoredEvent = {
  position: 12,
  stream: "parcel-1",
  revision: 0,
  type: "ParcelWeighed",
  version: 1,
  at: 1_700_000_000_000,
  data: '{"type":"ParcelWeighed","at":1700000000000,"pounds":2}',
};

describe("an event stored in an old version", () => {
  it("is lifted through every version up to the current one", () => {
    assert.deepEqual(codec.decode(first), { type: "ParcelWeighed", at: 1_700_000_000_000, grams: 907, from: null });
  });

  it("is lifted from where it is", () => {
    const second = { ...first, version: 2, data: '{"type":"ParcelWeighed","at":1700000000000,"grams":5}' };
    assert.deepEqual(codec.decode(second), { type: "ParcelWeighed", at: 1_700_000_000_000, grams: 5, from: null });
  });

  it("is refused when it does not fit after that", () => {
    assert.throws(() => codec.decode({ ...first, data: '{"type":"ParcelWeighed","at":1700000000000,"pounds":"heavy"}' }), UnreadableEvent);
    assert.throws(() => codec.decode({ ...first, version: 3 }), UnreadableEvent);
    assert.throws(() => codec.decode({ ...first, version: 4 }), UnreadableEvent);
  });
});

describe("a new event", () => {
  it("is stored in the current version", () => {
    const event: ParcelWeighed = { type: "ParcelWeighed", at: 1, grams: 3, from: "ann" };
    const encoded = codec.encode(event);
    assert.equal(encoded.version, 3);
    assert.deepEqual(codec.decode({ ...first, ...encoded }), event);
  });
});
