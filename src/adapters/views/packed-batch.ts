/**
 * A batch of stored events on its way to the writing thread: one run of numbers and one text. Copying objects between
 * threads costs by the object and its fields; this costs by the octet.
 */
import type { StoredBatch, StoredEvent } from "../event-store/event-store.ts";

export type PackedBatch = { readonly upTo: number; readonly count: number; readonly numbers: Float64Array; readonly text: string };

/** Position, revision, version, instant, and the lengths of stream, type and data. */
const NUMBERS = 7;

export const packBatch = ({ events, upTo }: StoredBatch): PackedBatch => {
  const numbers = new Float64Array(events.length * NUMBERS);
  const texts: string[] = [];
  let at = 0;
  for (const event of events) {
    numbers[at++] = event.position;
    numbers[at++] = event.revision;
    numbers[at++] = event.version;
    numbers[at++] = event.at;
    numbers[at++] = event.stream.length;
    numbers[at++] = event.type.length;
    numbers[at++] = event.data.length;
    texts.push(event.stream, event.type, event.data);
  }
  return { upTo, count: events.length, numbers, text: texts.join("") };
};

export const unpackBatch = ({ upTo, count, numbers, text }: PackedBatch): StoredBatch => {
  const events: StoredEvent[] = [];
  let at = 0;
  let from = 0;
  const number = (): number => numbers[at++] ?? 0;
  const cut = (length: number): string => text.slice(from, (from += length));
  for (let index = 0; index < count; index += 1) {
    const [position, revision, version, instant] = [number(), number(), number(), number()];
    const [stream, type, data] = [cut(number()), cut(number()), cut(number())];
    events.push({ position, revision, version, at: instant, stream, type, data });
  }
  return { events, upTo };
};
