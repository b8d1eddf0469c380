/**
 * Reads request bodies into memory, within limits: of size, of time, and of what all requests together may hold. A body
 * that does not arrive fast enough is given up, whatever it trickles.
 */
import type { IncomingMessage } from "node:http";
import { SECOND_MS } from "../../domain/clock.ts";
import { giveBack } from "../../domain/content.ts";
import { goAhead } from "./go-ahead.ts";

/** - `tooLarge`: more octets than allowed; what was announced or already came is not read on.
 *  - `tooSlow`: did not arrive in time. - `aborted`: the client went away.
 *  - `busy`: the bodies of other requests fill the memory set aside for them. */
export type BodyResult =
  { readonly kind: "read"; readonly octets: Buffer } | { readonly kind: "tooLarge" | "tooSlow" | "aborted" | "busy" };

export type BodyReaderOptions = {
  /** Time that any body may take. */
  readonly graceMs?: number;
  /** Octets that have to come in each second beyond that. */
  readonly octetsPerSecond?: number;
  /** Octets that all bodies being read or worked on may hold together; what is made of them takes about as much again. Default 256 MiB. */
  readonly maxBuffered?: number;
};

export type BodyReader = {
  /** Reads the body of a request, at most `limit` octets. */
  readonly read: (request: IncomingMessage, limit: number) => Promise<BodyResult>;
  /** Takes room for octets that are made for the answer to this request, until `release`; false = there is none. */
  readonly hold: (request: IncomingMessage, octets: number) => boolean;
  /** Says that the body of this request, and what was made of it, is no longer held. To be called once for each `read`, whatever it came to. */
  readonly release: (request: IncomingMessage) => void;
};

const announcedLength = (request: IncomingMessage): number => Number(request.headers["content-length"] ?? 0);

/** All of them in one buffer. Their memory goes back one by one, so that a body is never there twice. */
const joined = (chunks: readonly Buffer[], length: number): Buffer => {
  const [only, second] = chunks;
  if (only !== undefined && second === undefined) return only;
  const whole = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
    giveBack(chunk);
  }
  return whole;
};

/** Builds a {@link BodyReader}. */
export const bodyReader = (options: BodyReaderOptions = {}): BodyReader => {
  const { graceMs = 60 * SECOND_MS, octetsPerSecond = 16_384, maxBuffered = 256 * 1024 * 1024 } = options;
  const held = new WeakMap<IncomingMessage, number>();
  let buffered = 0;

  const hold = (request: IncomingMessage, octets: number): void => {
    buffered += octets;
    held.set(request, (held.get(request) ?? 0) + octets);
  };

  const receive = (request: IncomingMessage, limit: number): Promise<BodyResult> =>
    new Promise((resolve) => {
      const startedAt = performance.now();
      const chunks: Buffer[] = [];
      let length = 0;
      const finish = (result: BodyResult): void => {
        clearTimeout(timer);
        request.off("data", onData).off("end", onEnd).off("close", onClose).off("error", onClose);
        resolve(result);
      };
      const onData = (chunk: Buffer): void => {
        length += chunk.length;
        hold(request, chunk.length);
        chunks.push(chunk);
        if (length > limit) finish({ kind: "tooLarge" });
        else if (buffered > maxBuffered) finish({ kind: "busy" });
      };
      const onEnd = (): void => {
        finish({ kind: "read", octets: joined(chunks, length) });
      };
      const onClose = (): void => {
        finish({ kind: "aborted" });
      };
      const allowedMs = (): number => graceMs + (length / octetsPerSecond) * SECOND_MS;
      const check = (): void => {
        const leftMs = startedAt + allowedMs() - performance.now();
        if (leftMs <= 0) finish({ kind: "tooSlow" });
        else timer = setTimeout(check, Math.max(leftMs, 1));
      };
      let timer = setTimeout(check, graceMs);
      goAhead(request);
      request.on("data", onData).on("end", onEnd).on("close", onClose).on("error", onClose);
    });

  const read = async (request: IncomingMessage, limit: number): Promise<BodyResult> => {
    if (announcedLength(request) > limit) return { kind: "tooLarge" };
    if (buffered + announcedLength(request) > maxBuffered) return { kind: "busy" };
    return receive(request, limit);
  };

  const release = (request: IncomingMessage): void => {
    buffered -= held.get(request) ?? 0;
    held.delete(request);
  };

  return {
    read,
    hold: (request, octets) => {
      if (buffered + octets > maxBuffered) return false;
      hold(request, octets);
      return true;
    },
    release,
  };
};
