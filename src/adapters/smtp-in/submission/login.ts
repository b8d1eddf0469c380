/** AUTH PLAIN and LOGIN (RFC 4954, RFC 4616): the same logins, and the same limit on guessing, as everywhere else. */
import type { SMTPServerAuthentication } from "smtp-server";

import type { Authenticator } from "../../auth/authenticator.ts";
import type { FailureLimiter } from "../../auth/failure-limiter.ts";
import type { Refusal } from "../refusal.ts";
import type { Login } from "./envelope.ts";

export type LoginTerms = {
  readonly authenticator: Authenticator;
  readonly limiter: FailureLimiter;
  /** Hears of each login that is refused. */
  readonly onFailure?: (() => void) | undefined;
};

/** RFC 4954 section 6; the client is not told which of name and password was wrong. */
const WRONG: Refusal = { code: 535, enhancedCode: "5.7.8", text: "Unknown user name or wrong password" };
const ON_BEHALF: Refusal = { code: 535, enhancedCode: "5.7.8", text: "Nobody may act on behalf of another here" };
const BUSY: Refusal = { code: 454, enhancedCode: "4.7.0", text: "Too many logins at once, try again" };
/** 421 ends the connection: who guesses has to come again. */
const LIMITED: Refusal = { code: 421, enhancedCode: "4.7.0", text: "Too many failed logins from your network, try again later" };

/** Who a client is, or why it is nobody. Never rejects for what a client sent. */
export const login = async (
  { username = "", password, authzid = "" }: SMTPServerAuthentication,
  remoteAddress: string,
  { authenticator, limiter, onFailure }: LoginTerms,
): Promise<Login | Refusal> => {
  if (authzid !== "" && authzid !== username) return ON_BEHALF;
  if (!limiter.allows(remoteAddress, username)) {
    onFailure?.();
    return LIMITED;
  }
  const result = await authenticator.verify(username, password ?? "");
  if (result.kind === "busy") return BUSY;
  if (result.kind === "refused") {
    limiter.failed(remoteAddress, username);
    onFailure?.();
    return WRONG;
  }
  limiter.succeeded(remoteAddress, username);
  return { account: result.account, address: result.login };
};
