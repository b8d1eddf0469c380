/** Made-up encoded events for tests that do not care what an event says. */
import type { EncodedEvent, StoredEvent, StreamWrite } from "../../../src/adapters/event-store/event-store.ts";

export const encoded = (data: string, type = "ThingHappened"): EncodedEvent => ({ type, version: 1, at: 1_780_000_000_000, data });

/** Events for a stream that must not exist. */
export const birth = (stream: string, ...data: readonly string[]): StreamWrite => ({
  stream,
  expectedRevision: -1,
  events: data.map((text) => encoded(text)),
});

/** Events for a stream that stands at a revision. */
export const following = (stream: string, expectedRevision: number, ...data: readonly string[]): StreamWrite => ({
  stream,
  expectedRevision,
  events: data.map((text) => encoded(text)),
});

export const dataOf = (events: readonly StoredEvent[]): readonly string[] => events.map(({ data }) => data);
