/** A message while it comes in: its header as soon as that is whole, then the body, and at the end all of it in pieces. */
import type { SMTPServerDataStream } from "smtp-server";

import { type ContentGatherer, gatherContent } from "../../../domain/content.ts";
import { type Content } from "../../../domain/event-log.ts";
import type { Share } from "../room.ts";

export type IncomingLimits = {
  /** Octets of the whole message, and of its header. */
  readonly message: number;
  readonly header: number;
};

/** Who looks at it on the way. Both may be slow: the client waits. */
export type IncomingReader = {
  /** The header with its last line end, once. False: nothing more of this message is wanted. */
  readonly header: (header: Buffer) => Promise<boolean>;
  /** The octets are gone when it returns. */
  readonly body: (octets: Buffer) => void;
};

/** `unwanted`: the reader of the header wanted no more. `noRoom`: too much is coming in at the same time. */
type Stop = "unwanted" | "headerTooLarge" | "tooLarge" | "noRoom";

export type Incoming = { readonly kind: "whole"; readonly body: Content } | { readonly kind: Stop };

type State = { stage: "header" | "body" | Stop; search: HeaderSearch; body: ContentGatherer; octets: number };

const isKept = ({ stage }: State): boolean => stage === "header" || stage === "body";

const LINE_END = Buffer.from("\r\n");
const HEADER_END = Buffer.from("\r\n\r\n");

type HeaderSearch = {
  /** What of the chunk belongs to the body; undefined while the header goes on. */
  readonly add: (chunk: Buffer) => Buffer | undefined;
  readonly header: () => Buffer;
  readonly size: () => number;
};

/** Looks at each octet once, however small the chunks are. A message may begin with the empty line. */
const headerSearch = (): HeaderSearch => {
  const gathered = gatherContent();
  let tail: Buffer = LINE_END;
  let overshoot = 0;
  return {
    add: (chunk) => {
      const window = Buffer.concat([tail, chunk]);
      const at = window.indexOf(HEADER_END);
      if (at < 0) {
        gathered.add(chunk);
        tail = window.subarray(-3);
        return undefined;
      }
      const end = at + LINE_END.length - tail.length;
      gathered.add(chunk.subarray(0, Math.max(0, end)));
      // A part of the empty line may have come with an earlier chunk.
      overshoot = Math.max(0, -end);
      return chunk.subarray(at + HEADER_END.length - tail.length);
    },
    header: () => {
      const octets = Buffer.concat(gathered.content());
      return octets.subarray(0, octets.length - overshoot);
    },
    size: gathered.size,
  };
};

/**
 * Reads to the end whatever is found, because a client hears nothing before its final dot. What is not wanted any more is
 * not kept, and its share of the room given back; that of a whole message is the caller's to give. Rejects when the client
 * leaves.
 */
export const readIncoming = async (
  stream: SMTPServerDataStream,
  reader: IncomingReader,
  limits: IncomingLimits,
  share: Share,
): Promise<Incoming> => {
  const state: State = { stage: "header", search: headerSearch(), body: gatherContent(), octets: 0 };

  const stop = (stage: Stop): void => {
    state.stage = stage;
    state.search = headerSearch();
    state.body = gatherContent();
    share.give();
  };
  const endHeader = async (): Promise<void> => {
    const { search } = state;
    if (search.size() > limits.header) stop("headerTooLarge");
    else if (await reader.header(search.header())) state.stage = "body";
    else stop("unwanted");
  };
  const take = async (chunk: Buffer): Promise<void> => {
    let rest: Buffer | undefined = chunk;
    if (state.stage === "header") {
      rest = state.search.add(chunk);
      if (rest !== undefined) await endHeader();
      else if (state.search.size() > limits.header) stop("headerTooLarge");
    }
    if (state.stage !== "body" || rest === undefined || rest.length === 0) return;
    reader.body(rest);
    state.body.use(rest);
  };

  for await (const chunk of stream as AsyncIterable<Buffer>) {
    state.octets += chunk.length;
    if (state.octets > limits.message) stop("tooLarge");
    else if (!isKept(state)) continue;
    else if (share.take(chunk.length)) await take(chunk);
    else stop("noRoom");
  }
  if (state.stage === "header") await endHeader();
  return state.stage === "body" ? { kind: "whole", body: state.body.content() } : { kind: state.stage as Stop };
};
