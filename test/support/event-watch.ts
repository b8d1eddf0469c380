/** Follows the log of a server under test, so that a test can wait for what happened instead of for a time. */
import { codec } from "../../src/adapters/event-store/codec.ts";
import { eventLog } from "../../src/adapters/event-store/event-log.ts";
import type { EventStore } from "../../src/adapters/event-store/event-store.ts";
import { StoreUnavailable } from "../../src/adapters/event-store/store-unavailable.ts";
import type { Recorded } from "../../src/domain/event-log.ts";
import type { DomainEvent, DomainEventType } from "../../src/domain/events.ts";
import { eventually } from "./eventually.ts";

export type EventOf<Type extends DomainEventType> = Extract<DomainEvent, { type: Type }>;

export type EventWatch = {
  /** Every event so far, also from before a restart. */
  readonly events: readonly Recorded[];
  /** The first event of a type of which `where` is true: one that there is, or the one that comes. */
  readonly first: <Type extends DomainEventType>(
    type: Type,
    where?: (event: EventOf<Type>, recorded: Recorded) => boolean,
  ) => Promise<Recorded<EventOf<Type>>>;
  /** Follows a store, from where the last one was left, until it is closed. */
  readonly follow: (store: EventStore) => void;
  /** Resolves when the store that was followed is closed. */
  readonly ended: () => Promise<void>;
};

const LAST_SHOWN = 30;

export const eventWatch = (): EventWatch => {
  const events: Recorded[] = [];
  const news = eventually();
  let reading: Promise<void> = Promise.resolve();

  const shown = (): string =>
    events
      .slice(-LAST_SHOWN)
      .map(({ stream, event }) => `${stream}: ${event.type}`)
      .join("\n");

  return {
    events,
    first: async <Type extends DomainEventType>(type: Type, where: (event: EventOf<Type>, recorded: Recorded) => boolean = () => true) =>
      news.until(
        () =>
          events.find(
            (recorded): recorded is Recorded<EventOf<Type>> =>
              recorded.event.type === type && where(recorded.event as EventOf<Type>, recorded),
          ),
        () => `no such ${type}; the last events were\n${shown()}`,
      ),
    follow: (store) => {
      const signal = new AbortController().signal;
      const read = async (): Promise<void> => {
        for await (const batch of eventLog(store, codec).subscribe(events.at(-1)?.position ?? 0, { signal })) {
          events.push(...batch.events);
          news.ring();
        }
      };
      reading = read().catch((error: unknown) => {
        if (!(error instanceof StoreUnavailable) || error.reason !== "closed") throw error;
      });
    },
    ended: () => reading,
  };
};
