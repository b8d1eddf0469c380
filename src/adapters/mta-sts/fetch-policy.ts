/**
 * Fetches a policy file (RFC 8461 section 3.3). The domain comes from a recipient's address, so whoever can send can make
 * this server ask anywhere: only addresses that may be called are, no redirect is followed, and time and size are bounded.
 */
import { Agent, type buildConnector, request } from "undici";

/** The text of the policy file of a domain. Rejects, saying why, when there is none that may be believed. */
export type FetchPolicy = (domain: string) => Promise<string>;

export type FetchOptions = {
  /** Makes connections, and only to where this server may connect. */
  readonly connect: buildConnector.connector;
  /** Of the HTTPS server; another than 443 is for tests. */
  readonly port?: number;
  /** For all of it. Default 15 s: a delivery waits for it. */
  readonly timeoutMs?: number;
};

const MAX_OCTETS = 64 * 1_024;
const HTTPS = 443;

const bodyOf = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  const pieces: Uint8Array[] = [];
  let octets = 0;
  for await (const piece of body) {
    octets += piece.length;
    if (octets > MAX_OCTETS) throw new Error(`the policy is longer than ${MAX_OCTETS} octets`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
};

export const policyFetcher =
  ({ connect, port = HTTPS, timeoutMs = 15_000 }: FetchOptions): FetchPolicy =>
  async (domain) => {
    // For one request: nothing is kept open, and nothing is shared between domains.
    const agent = new Agent({ connect, pipelining: 0, maxHeaderSize: 16 * 1_024 });
    try {
      const url = `https://mta-sts.${domain}${port === HTTPS ? "" : `:${port}`}/.well-known/mta-sts.txt`;
      const { statusCode, headers, body } = await request(url, {
        dispatcher: agent,
        signal: AbortSignal.timeout(timeoutMs),
        headers: { accept: "text/plain", "accept-encoding": "identity" },
      });
      const [type = ""] = String(headers["content-type"] ?? "").split(";", 1);
      if (statusCode !== 200 || type.trim().toLowerCase() !== "text/plain") {
        // What is not wanted is not read, and that it breaks off is no news.
        body.on("error", () => undefined).destroy();
        throw new Error(
          statusCode === 200 ? `the policy is ${type === "" ? "of no type" : type}, not text/plain` : `the answer was ${statusCode}`,
        );
      }
      return await bodyOf(body);
    } finally {
      await agent.destroy();
    }
  };
