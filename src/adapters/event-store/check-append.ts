/** What no event store can take, whatever it is made of: refused before anything is queued, since only a bug asks for it. */
import type { NewContent } from "../../domain/event-log.ts";
import type { EncodedEvent, StreamWrite } from "./event-store.ts";

/** Longest stream or checkpoint name, UTF-16 units. */
const NAME_LIMIT = 1_024;
/** Longest data of one event, UTF-16 units. */
const DATA_LIMIT = 4 * 1_024 * 1_024;

const quoted = (name: string): string => JSON.stringify(name.slice(0, 80));

/** Refuses names that some store would cut, change or mix up. */
export const checkName = (name: string): void => {
  if (name.length === 0 || name.length > NAME_LIMIT) throw new RangeError(`a name of ${name.length} characters: ${quoted(name)}`);
  if (name.includes("\0") || !name.isWellFormed()) throw new RangeError(`a name that is not clean text: ${quoted(name)}`);
};

const checkEvent = (stream: string, { type, version, at, data }: EncodedEvent): void => {
  if (type.length === 0 || !Number.isSafeInteger(version) || version < 1)
    throw new RangeError(`${stream}: event ${quoted(type)} version ${version}`);
  if (!Number.isSafeInteger(at)) throw new RangeError(`${stream}: ${type} happened at ${at}, which is no whole millisecond`);
  if (data.length > DATA_LIMIT) throw new RangeError(`${stream}: ${type} has ${data.length} characters of data, more than ${DATA_LIMIT}`);
};

/**
 * Refuses an append that is wrong in itself.
 *
 * @throws RangeError for names, numbers and sizes out of range, and for a stream that occurs twice.
 * @throws TypeError for content whose memory was given away already.
 */
export const checkAppend = (writes: readonly StreamWrite[], contents: readonly NewContent[]): void => {
  for (const { stream, expectedRevision, events } of writes) {
    checkName(stream);
    if (!Number.isSafeInteger(expectedRevision) || expectedRevision < -1)
      throw new RangeError(`${stream}: no revision can be ${expectedRevision}`);
    for (const event of events) checkEvent(stream, event);
  }
  if (writes.length > 1 && new Set(writes.map(({ stream }) => stream)).size < writes.length) {
    throw new RangeError("a stream occurs twice in one append");
  }
  for (const { id, pieces } of contents) {
    if (!Number.isSafeInteger(id) || id < 1) throw new RangeError(`no content can have the id ${id}`);
    if (pieces.some(({ byteLength, buffer }) => byteLength === 0 && buffer instanceof ArrayBuffer && buffer.detached)) {
      throw new TypeError(`the memory of content ${id} was handed to a store already`);
    }
  }
};
