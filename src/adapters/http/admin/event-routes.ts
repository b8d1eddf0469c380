/** The log itself: a stream's events, the events after a position, and those to come as they are stored. */
import { z } from "zod";
import { SECOND_MS, type Clock } from "../../../domain/clock.ts";
import type { EventBatch, Recorded } from "../../../domain/event-log.ts";
import type { DomainEventType } from "../../../domain/events.ts";
import { json, refused, type Answer } from "./answer.ts";
import type { AdminParts } from "./options.ts";
import { flagText, line, pageQuery, positionText } from "./parameters.ts";
import { route, type Route } from "./route.ts";
import { EVENT_TYPES, told, type Told } from "./wording.ts";

/** Events looked through for one answer: a rare kind in a long log takes several requests, not one long one. */
const MAX_SCANNED = 20_000;
const MAX_FOLLOWERS = 32;
/** Sent into a silent stream, so that both ends notice when the other is gone. */
const HEARTBEAT_MS = 15 * SECOND_MS;

type Wanted = { readonly types: ReadonlySet<DomainEventType> | undefined; readonly streamPrefix: string };

const agrees = ({ streamPrefix }: Wanted, recorded: Recorded): boolean => recorded.stream.startsWith(streamPrefix);

const subscription = ({ log }: Pick<AdminParts, "log">, after: number, { types }: Wanted, signal: AbortSignal): AsyncIterable<EventBatch> =>
  log.subscribe(after, types === undefined ? { signal } : { types, signal });

type EventPage = { readonly items: readonly Told[]; readonly next: number; readonly head: number };

/** Up to `limit` events; `next` is how far it looked, also where nothing matched. */
const pageAfter = async (parts: AdminParts, after: number, limit: number, wanted: Wanted): Promise<EventPage> => {
  const head = parts.log.head();
  const items: Told[] = [];
  let next = after;
  if (after >= head) return { items, next, head };
  const done = new AbortController();
  let scanned = 0;
  try {
    for await (const { events, upTo } of subscription(parts, after, wanted, done.signal)) {
      for (const recorded of events) {
        if (agrees(wanted, recorded)) items.push(told(recorded));
        if (items.length === limit) return { items, next: recorded.position, head };
      }
      next = upTo;
      scanned += events.length;
      if (next >= head || scanned >= MAX_SCANNED) break;
    }
  } finally {
    done.abort();
  }
  return { items, next, head };
};

/** The batches as they come, and undefined where nothing came for a while. */
async function* withHeartbeat(batches: AsyncIterable<EventBatch>, clock: Clock): AsyncGenerator<EventBatch | undefined> {
  const iterator = batches[Symbol.asyncIterator]();
  const idle = Symbol("idle");
  let coming = iterator.next();
  yield undefined; // opens the stream: the client sees that it is connected
  for (;;) {
    let cancel = (): void => undefined;
    const silence = new Promise<typeof idle>((resolve) => {
      cancel = clock.timer(clock.now() + HEARTBEAT_MS, () => {
        resolve(idle);
      });
    });
    const first = await Promise.race([coming, silence]).finally(() => {
      cancel();
    });
    if (first === idle) {
      yield undefined;
      continue;
    }
    if (first.done === true) return;
    yield first.value;
    coming = iterator.next();
  }
}

type Format = { readonly contentType: string; readonly event: (recorded: Told) => string; readonly heartbeat: string };

/** Server-Sent Events, as browsers follow them (WHATWG HTML section 9.2). */
const SERVER_SENT_EVENTS: Format = {
  contentType: "text/event-stream; charset=utf-8",
  event: (recorded) => `id: ${recorded.position}\nevent: ${recorded.event.type}\ndata: ${JSON.stringify(recorded)}\n\n`,
  heartbeat: ":\n\n",
};

/** One JSON text a line; an empty line is a heartbeat. */
const LINES: Format = {
  contentType: "application/x-ndjson; charset=utf-8",
  event: (recorded) => `${JSON.stringify(recorded)}\n`,
  heartbeat: "\n",
};

const typeList = z
  .string()
  .max(4_000)
  .transform((text, context): ReadonlySet<DomainEventType> => {
    const names = text.split(",");
    const unknown = names.find((name) => !(EVENT_TYPES as ReadonlySet<string>).has(name));
    if (unknown === undefined) return new Set(names as DomainEventType[]);
    context.addIssue({ code: "custom", message: `there are no events of type ${JSON.stringify(unknown.slice(0, 60))}` });
    return z.NEVER;
  });

export const eventRoutes = (parts: AdminParts): readonly Route[] => {
  const { log, clock } = parts;
  let followers = 0;

  const eventQuery = z.strictObject({
    after: positionText.optional(),
    limit: pageQuery.limit,
    types: typeList.optional(),
    streamPrefix: line.default(""),
    follow: flagText.default(false),
  });

  async function* follow(after: number, wanted: Wanted, format: Format, signal: AbortSignal): AsyncGenerator<string> {
    followers += 1;
    try {
      for await (const batch of withHeartbeat(subscription(parts, after, wanted, signal), clock)) {
        const matching = batch?.events.filter((recorded) => agrees(wanted, recorded)) ?? [];
        if (batch === undefined) yield format.heartbeat;
        else if (matching.length > 0) yield matching.map((recorded) => format.event(told(recorded))).join("");
      }
    } finally {
      followers -= 1;
    }
  }

  const followAnswer = (after: number, wanted: Wanted, accepts: string): Answer => {
    if (followers >= MAX_FOLLOWERS) return refused("tooManyFollowers", `${MAX_FOLLOWERS} clients follow the log already`);
    const format = accepts.includes("text/event-stream") ? SERVER_SENT_EVENTS : LINES;
    return { kind: "stream", contentType: format.contentType, chunks: (signal) => follow(after, wanted, format, signal) };
  };

  return [
    route("GET", "/events", { query: eventQuery }, async ({ query, header }) => {
      const wanted = { types: query.types, streamPrefix: query.streamPrefix };
      if (!query.follow) return json(await pageAfter(parts, query.after ?? 0, query.limit, wanted));
      // A browser that reconnects says where it was.
      const last = positionText.safeParse(header("last-event-id"));
      return followAnswer(last.success ? last.data : (query.after ?? log.head()), wanted, header("accept"));
    }),
    route("GET", "/streams/:name", { params: z.strictObject({ name: z.string().min(1).max(1_000) }) }, async ({ params: { name } }) => {
      const events = await log.read(name);
      return events.length === 0 ? refused("notFound", "there is no such stream, or no longer") : json({ items: events.map(told) });
    }),
  ];
};
