/** What went wrong with a request, in a few words for the owner of the webhook. Never quotes the URL: it may hold secrets. */
import { errors } from "undici";

import { AddressRefused } from "./guarded-connector.ts";

const PROBLEMS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection closed without an answer",
  EPIPE: "connection closed without an answer",
  UND_ERR_SOCKET: "connection closed without an answer",
  ETIMEDOUT: "connection timed out",
  UND_ERR_CONNECT_TIMEOUT: "connection timed out",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  EADDRNOTAVAIL: "network unreachable",
  ENOTFOUND: "host name not found",
  ENODATA: "host name has no address",
  EAI_AGAIN: "host name could not be looked up for now",
  ESERVFAIL: "host name could not be looked up for now",
  EMFILE: "too many open files on this server",
  CERT_HAS_EXPIRED: "certificate has expired",
  CERT_NOT_YET_VALID: "certificate is not valid yet",
  CERT_REVOKED: "certificate was revoked",
  DEPTH_ZERO_SELF_SIGNED_CERT: "certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "certificate of an unknown authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "certificate of an unknown authority",
  UNABLE_TO_GET_ISSUER_CERT: "certificate of an unknown authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "certificate of an unknown authority",
  ERR_TLS_CERT_ALTNAME_INVALID: "certificate is for another name",
  UND_ERR_HEADERS_OVERFLOW: "headers of the answer are too large",
  UND_ERR_INVALID_ARG: "request cannot be made: check the URL and the Authorization value",
};

const codeOf = (error: unknown): string => {
  const code = (error as { readonly code?: unknown } | null)?.code;
  if (typeof code === "string") return code;
  // Several addresses tried, all in vain: the first one's reason stands for them.
  return error instanceof AggregateError && error.errors.length > 0 ? codeOf(error.errors[0]) : "";
};

const NOT_HTTP: ReadonlySet<string> = new Set(["bad response", "bad upgrade"]);

const isNotHttp = (error: unknown): boolean =>
  error instanceof errors.HTTPParserError ||
  error instanceof errors.ResponseContentLengthMismatchError ||
  (error instanceof errors.SocketError && NOT_HTTP.has(error.message));

/** A short text for an error of the connection or of the HTTP exchange. */
export const callProblem = (error: unknown): string => {
  if (error instanceof AddressRefused) return error.message;
  if (isNotHttp(error)) return "answer is not valid HTTP";
  const code = codeOf(error);
  const known = PROBLEMS[code];
  if (known !== undefined) return known;
  if (code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_") || code === "EPROTO") return "TLS handshake failed";
  return /^[A-Z][A-Z0-9_]{1,60}$/u.test(code) ? `request failed (${code})` : "request failed";
};
