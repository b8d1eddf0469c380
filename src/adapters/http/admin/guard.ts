/** Who may use the admin API: the admin, who has a password, from pages of this server or from no page at all. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { basicCredentials } from "../auth/basic-login.ts";
import { clientAddress } from "../auth/client-address.ts";
import type { FailureLimiter } from "../../auth/failure-limiter.ts";
import { refused, type Refusal } from "./answer.ts";

export type GuardOptions = {
  /** Whether this is the admin's password; undefined = there is none, and nobody gets in. */
  readonly checkPassword: ((attempt: string) => Promise<boolean>) | undefined;
  readonly limiter: FailureLimiter;
  /** Whether a reverse proxy in front writes X-Forwarded-For. */
  readonly trustForwarded: boolean;
};

const USER = "admin";
const MAX_PASSWORD = 1_024;
/** Logins that wait to be checked. */
const MAX_WAITING = 64;

const DISABLED = refused("adminDisabled", "the admin API is off: the configuration has no admin password");
const MISSING = refused("unauthorized", `log in as ${USER} with HTTP basic authentication`);
const WRONG = refused("unauthorized", "unknown user name or wrong password");
const LIMITED = refused("tooManyFailures", "too many failed logins from your network, try again later");
const BUSY = refused("busy", "too many logins at once, try again");

/** Decides whether a request is the admin's; undefined = it is. */
export const adminGuard = ({ checkPassword, limiter, trustForwarded }: GuardOptions) => {
  let waiting = 0;
  const key = randomBytes(32);
  const proofOf = (password: string): Buffer => createHmac("sha256", key).update(password).digest();
  /** Of the right password, once it was given: what is checked once need not be hashed again. */
  let known: Buffer | undefined;
  let last: Promise<unknown> = Promise.resolve();

  /** One at a time: hashing is slow on purpose, and what fails now must count before the next is heard. */
  const inTurn = async (check: () => Promise<Refusal | undefined>): Promise<Refusal | undefined> => {
    if (waiting >= MAX_WAITING) return BUSY;
    waiting += 1;
    const mine = last.then(check, check);
    last = mine;
    try {
      return await mine;
    } finally {
      waiting -= 1;
    }
  };

  return async (request: IncomingMessage): Promise<Refusal | undefined> => {
    if (checkPassword === undefined) return DISABLED;
    const credentials = basicCredentials(request.headers.authorization);
    // No failure: that is how a browser asks for the prompt.
    if (credentials === undefined) return MISSING;
    const address = clientAddress(request, trustForwarded);
    const { user, password } = credentials;
    const isShort = password.length <= MAX_PASSWORD;
    const proof = proofOf(isShort ? password : "");
    if (user === USER && isShort && known !== undefined && timingSafeEqual(known, proof)) {
      return limiter.allows(address, USER) ? undefined : LIMITED;
    }
    return inTurn(async () => {
      if (!limiter.allows(address, USER)) return LIMITED;
      if (isShort && (await checkPassword(password)) && user === USER) {
        known = proof;
        limiter.succeeded(address, USER);
        return undefined;
      }
      limiter.failed(address, USER);
      return WRONG;
    });
  };
};

/**
 * Whether a request that changes something may come from where it does. Browsers send a known login along with requests
 * that another site's page makes; those say so (Fetch Metadata, else Origin). Programs send neither header.
 */
export const crossOrigin = ({ headers }: IncomingMessage): Refusal | undefined => {
  const site = headers["sec-fetch-site"];
  const isForeign =
    site === undefined
      ? headers.origin !== undefined && URL.parse(headers.origin)?.host !== headers.host
      : site !== "same-origin" && site !== "none";
  return isForeign ? refused("crossOrigin", "changes are not taken from pages of other sites") : undefined;
};
