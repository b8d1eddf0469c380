/** Takes one part out of a message (webapi: MessagePartGet). */
import { headerFields } from "./header-fields.ts";
import { READING_LIMITS, type Pieces, type ReadingLimits } from "./mail-reading.ts";
import { splitMail, type MailNode, type Visitor } from "./mail-splitter.ts";
import { describePart } from "./part-description.ts";
import { partDecoder, type Decoder } from "./transfer-decoding.ts";

const isWithin = (node: MailNode, ancestor: MailNode): boolean => {
  for (let at: MailNode | false = node; at !== false; at = at.parentNode) if (at === ancestor) return true;
  return false;
};

const decoderOf = (node: MailNode): Decoder => {
  const fields = headerFields(node.getHeaders());
  return partDecoder(describePart(fields, "text/plain"), fields.first("content-transfer-encoding"));
};

const LF = 10;
const CR = 13;

/** The line end before a delimiter line belongs to the delimiter (RFC 2046 section 5.1.1). */
const withoutLastLineEnd = (octets: Buffer): Buffer => {
  if (octets.at(-1) !== LF) return octets;
  return octets.subarray(0, octets.at(-2) === CR ? -2 : -1);
};

/** Finds the part at a path and collects it. */
const collecting = (path: readonly number[]) => {
  const children = new Map<MailNode, number>();
  const collected: Buffer[] = [];
  /** The last part on the way to the one that is asked for, and how many steps of the path lead to it. */
  let reached: { readonly node: MailNode; readonly steps: number } | undefined;
  let decoder: Decoder | undefined;
  let isDone = false;

  const target = (): MailNode | undefined => (reached?.steps === path.length ? reached.node : undefined);

  const step = (node: MailNode): void => {
    if (reached === undefined) reached = { node, steps: 0 };
    else if (node.parentNode === reached.node) {
      const index = children.get(reached.node) ?? 0;
      children.set(reached.node, index + 1);
      if (index === path[reached.steps]) reached = { node, steps: reached.steps + 1 };
    }
    if (target() === node && node.multipart === false) decoder = decoderOf(node);
  };

  const part = (node: MailNode): void => {
    const found = target();
    if (found === undefined) step(node);
    else if (node !== found && isWithin(node, found)) collected.push(node.getHeaders());
    else isDone = true;
  };

  const octets: Visitor["octets"] = (node, kind, value) => {
    const found = target();
    if (found === undefined || isDone) return;
    if (!isWithin(node, found)) isDone = true;
    else if (decoder === undefined) collected.push(Buffer.from(value));
    else if (kind === "body") collected.push(Buffer.from(decoder.write(value)));
  };

  const result = (): Uint8Array | undefined => {
    if (target() === undefined) return undefined;
    if (decoder !== undefined) return Buffer.concat([...collected, decoder.end()]);
    const whole = Buffer.concat(collected);
    return isDone ? withoutLastLineEnd(whole) : whole;
  };

  return { visitor: { part, octets, isDone: () => isDone }, result };
};

/**
 * The octets of the part that `path` leads to, counted from 0 on each level; of the whole message when it is empty. The
 * transfer encoding is undone and text has CRLF line ends, as in `decodedSize`; the charset is as it was. A multipart
 * comes as it stands in the message. Undefined when there is no such part within the limits.
 */
export const readPart = async (
  pieces: Pieces,
  path: readonly number[],
  limits: Partial<ReadingLimits> = {},
): Promise<Uint8Array | undefined> => {
  const { visitor, result } = collecting(path);
  await splitMail(pieces, { ...READING_LIMITS, ...limits }, visitor);
  return result();
};
