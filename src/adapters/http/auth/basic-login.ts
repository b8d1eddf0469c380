/** HTTP Basic authentication (RFC 7617) with limited guessing: what every protected route asks first. */
import type { IncomingMessage } from "node:http";
import type { Account } from "../../../domain/account/account.ts";
import type { Address } from "../../../domain/address.ts";
import type { Authenticator } from "../../auth/authenticator.ts";
import { clientAddress } from "./client-address.ts";
import type { FailureLimiter } from "../../auth/failure-limiter.ts";

/** `status` is 401, 429 or 503; `detail` is a sentence for the client. */
export type BasicLoginResult =
  | { readonly ok: true; readonly account: Account; readonly login: Address }
  | { readonly ok: false; readonly status: 401 | 429 | 503; readonly detail: string };

/** Decides who a request is from, by its Authorization header. */
export type BasicLogin = (request: IncomingMessage) => Promise<BasicLoginResult>;

export type BasicLoginOptions = {
  readonly authenticator: Authenticator;
  readonly limiter: FailureLimiter;
  /** Whether a reverse proxy in front writes X-Forwarded-For. */
  readonly trustForwarded: boolean;
};

const MISSING = { ok: false, status: 401, detail: "use HTTP basic authentication with an email address as user name" } as const;
const BAD = { ok: false, status: 401, detail: "unknown user name or wrong password" } as const;
const LIMITED = { ok: false, status: 429, detail: "too many failed logins from your network, try again later" } as const;
const BUSY = { ok: false, status: 503, detail: "too many logins at once, try again" } as const;

/** User name and password of an Authorization header; undefined when it has none. */
export const basicCredentials = (header: string | undefined): { readonly user: string; readonly password: string } | undefined => {
  const encoded = header === undefined ? undefined : /^basic +([A-Za-z0-9+/_=-]+) *$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  return colon === -1 ? undefined : { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
};

/** Builds a {@link BasicLogin}. A request without credentials is no failure: that is how a browser asks for the prompt. */
export const basicLogin =
  ({ authenticator, limiter, trustForwarded }: BasicLoginOptions): BasicLogin =>
  async (request) => {
    const credentials = basicCredentials(request.headers.authorization);
    if (credentials === undefined) return MISSING;
    const address = clientAddress(request, trustForwarded);
    if (!limiter.allows(address, credentials.user)) return LIMITED;
    const result = await authenticator.verify(credentials.user, credentials.password);
    if (result.kind === "busy") return BUSY;
    if (result.kind === "refused") {
      limiter.failed(address, credentials.user);
      return BAD;
    }
    limiter.succeeded(address, credentials.user);
    return { ok: true, account: result.account, login: result.login };
  };
