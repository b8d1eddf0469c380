/**
 * Between typed events and stored text: writes schema versions, lifts old ones, and lets nothing pass in either direction
 * that does not have the declared shape. Generic over the events, so that it can be tested with made-up ones.
 */
import type { ZodType } from "zod";
import { quickCheck, type QuickCheck } from "./quick-check.ts";
import type { EncodedEvent, StoredEvent } from "./event-store.ts";

type AnyEvent = { readonly type: string; readonly at: number };

/** Data of one version made into data of the next. `type` and `at` are part of the data and stay as they are. */
export type Upcaster = (data: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;

/** How one event type is stored. */
export type EventFormat = {
  /** The current version's shape. */
  readonly schema: ZodType;
  /** From version 1 to 2, from 2 to 3, ...: the current version is one more than there are upcasters. */
  readonly upcasters: readonly Upcaster[];
};

export type EventCodec<E extends AnyEvent> = {
  /** @throws TypeError for an event without the declared shape: stored, it could never be read again. */
  readonly encode: (event: E) => EncodedEvent;
  /** @throws UnreadableEvent for a type or version that is not known, and for data without the declared shape. */
  readonly decode: (stored: StoredEvent) => E;
};

/** A stored event that this release cannot read. The message says where it stands, and nothing of what is in it. */
export class UnreadableEvent extends Error {
  override readonly name = "UnreadableEvent";
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly type: string;

  constructor({ stream, revision, position, type }: StoredEvent, why: string, options?: ErrorOptions) {
    super(`cannot read event ${type} (stream ${stream}, revision ${revision}, position ${position}): ${why}`, options);
    this.stream = stream;
    this.revision = revision;
    this.position = position;
    this.type = type;
  }
}

type Issues = { readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] };

/** The first few things that do not fit. zod's messages name types and keys, never values. */
const describeIssues = ({ issues }: Issues): string =>
  issues
    .slice(0, 3)
    .map(({ path, message }) => `${path.length === 0 ? "data" : path.map(String).join(".")}: ${message}`)
    .join("; ");

const parseObject = (stored: StoredEvent): Readonly<Record<string, unknown>> => {
  let data: unknown;
  try {
    data = JSON.parse(stored.data);
  } catch (cause) {
    throw new UnreadableEvent(stored, "its data is not JSON", { cause });
  }
  if (typeof data !== "object" || data === null || Array.isArray(data)) throw new UnreadableEvent(stored, "its data is not an object");
  return data as Readonly<Record<string, unknown>>;
};

/** The codec for events of these formats. */
export const eventCodec = <E extends AnyEvent>(formats: { readonly [Type in E["type"]]: EventFormat }): EventCodec<E> => {
  const byType = new Map<string, EventFormat & { readonly fits: QuickCheck }>(
    Object.entries<EventFormat>(formats).map(([type, format]) => [type, { ...format, fits: quickCheck(format.schema) }]),
  );

  /** What is wrong with a value, undefined when nothing is. */
  const misfit = ({ schema, fits }: { readonly schema: ZodType; readonly fits: QuickCheck }, value: unknown): string | undefined => {
    if (fits(value)) return undefined;
    const checked = schema.safeParse(value);
    return checked.success ? undefined : describeIssues(checked.error);
  };

  const encode: EventCodec<E>["encode"] = (event) => {
    const format = byType.get(event.type);
    if (format === undefined) throw new TypeError(`no format for events of type ${event.type}`);
    // Costs less than the text does, and a NaN or a stray undefined in an append-only log would be there for good.
    const wrong = misfit(format, event);
    if (wrong !== undefined) throw new TypeError(`an event ${event.type} has the wrong shape: ${wrong}`);
    return { type: event.type, version: format.upcasters.length + 1, at: event.at, data: JSON.stringify(event), origin: event };
  };

  const decode: EventCodec<E>["decode"] = (stored) => {
    // Encoded by this very codec, which let it pass.
    if (stored.origin !== undefined) return stored.origin as E;
    const format = byType.get(stored.type);
    if (format === undefined) throw new UnreadableEvent(stored, "its type is not known; a newer release may have written it");
    const { upcasters } = format;
    if (!Number.isSafeInteger(stored.version) || stored.version < 1 || stored.version > upcasters.length + 1) {
      throw new UnreadableEvent(
        stored,
        `schema version ${stored.version} is not known, only 1 to ${upcasters.length + 1}; a newer release may have written it`,
      );
    }
    let data = parseObject(stored);
    for (let version = stored.version; version <= upcasters.length; version += 1) data = upcasters[version - 1]?.(data) ?? data;
    const wrong = misfit(format, data);
    if (wrong !== undefined) throw new UnreadableEvent(stored, wrong);
    // The text's own object, not zod's copy: the same after a strict check, but for a key named __proto__, which zod drops.
    return data as unknown as E;
  };

  return { encode, decode };
};
