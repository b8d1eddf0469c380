/** The domain's event log, made of an event store and the codec. Whoever wants events undecoded reads the store itself. */
import type { EventBatch, EventLog, Recorded } from "../../domain/event-log.ts";
import type { DomainEventType } from "../../domain/events.ts";
import type { DomainEventCodec } from "./codec.ts";
import type { EventStore, StoredBatch, StoredEvent } from "./event-store.ts";

/** The typed view of a store. Closing the store stays with whoever opened it. */
export const eventLog = (store: EventStore, codec: DomainEventCodec): EventLog => {
  const recorded = (stored: StoredEvent): Recorded => ({
    position: stored.position,
    stream: stored.stream,
    revision: stored.revision,
    event: codec.decode(stored),
  });

  const decodeBatch = ({ events, upTo }: StoredBatch, types: ReadonlySet<string> | undefined): EventBatch => {
    const wanted = types === undefined ? events : events.filter(({ type }) => types.has(type));
    return { events: wanted.map(recorded), upTo };
  };

  async function* subscribe(after: number, options: { readonly types?: ReadonlySet<DomainEventType>; readonly signal: AbortSignal }) {
    for await (const batch of store.subscribe(after, { signal: options.signal })) yield decodeBatch(batch, options.types);
  }

  return {
    append: async (writes, contents) =>
      store.append(
        writes.map(({ stream, expectedRevision, events }) => ({ stream, expectedRevision, events: events.map(codec.encode) })),
        contents,
      ),
    read: async (stream) => (await store.readStream(stream)).map(recorded),
    subscribe,
    deleteStream: store.deleteStream,
    loadCheckpoint: store.loadCheckpoint,
    saveCheckpoint: store.saveCheckpoint,
    head: store.head,
    exclusive: store.exclusive,
  };
};
