/** What a method of the webapi is: its place in the documentation, its schemas, and what carries it out. */
import type { z } from "zod";
import type { Account } from "../../../domain/account/account.ts";
import type { Address } from "../../../domain/address.ts";
import type { FormFile } from "../form.ts";

/** Codes of the errors that methods answer with (webapi v0). */
export type ErrorCode =
  | "protocol"
  | "user"
  | "server"
  | "badAddress"
  | "missingBody"
  | "multipleFrom"
  | "badFrom"
  | "domainDisabled"
  | "noRecipients"
  | "messageLimitReached"
  | "recipientLimitReached"
  | "malformedMessageID"
  | "messageTooLarge"
  | "sentOverQuota"
  | "messageNotFound"
  | "partNotFound"
  | "error";

/** Why a call did nothing; `message` is a sentence for the client. */
export type Refusal = { readonly code: ErrorCode; readonly message: string };

/** Octets that are answered as they are, as they come. */
export type Octets = {
  readonly contentType: string;
  readonly size: number;
  readonly pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
};

/** A value that is answered as JSON, octets, or a refusal. `busy`: other requests fill the memory that there is for them. */
export type MethodResult<Answer> =
  | { readonly ok: true; readonly answer: Answer }
  | { readonly ok: true; readonly octets: Octets }
  | { readonly ok: false; readonly busy: true }
  | { readonly ok: false; readonly refusal: Refusal };

/** Who calls, and what came with the form besides the request. */
export type Caller = {
  readonly account: Account;
  /** Address that logged in. */
  readonly login: Address;
  /** Their memory is taken away when the call has ended. */
  readonly files: readonly FormFile[];
  /** Takes room for octets that the answer holds in memory, until it is sent; false = the call has to be `busy`. */
  readonly hold: (octets: number) => boolean;
};

export type Method<Request, Answer> = {
  /** Last part of the method's path. */
  readonly name: string;
  /** One sentence for the list of methods. */
  readonly summary: string;
  /** Codes that this method has of its own, and when they come. */
  readonly errors: readonly (readonly [code: ErrorCode, when: string])[];
  readonly request: z.ZodType<Request>;
  readonly answer: z.ZodType<Answer>;
  /** As a client writes it and gets it: wire form. */
  readonly exampleRequest: object;
  readonly exampleAnswer: Answer;
  /** Set where octets are answered rather than JSON: what they are, in a sentence, and some as text. */
  readonly octets?: { readonly what: string; readonly example: string };
  /** Octets of the request body, form encoding included. */
  readonly maxBody: number;
  /** What is answered to a body over `maxBody`. */
  readonly tooLarge: Refusal;
  /** Carries the call out. Throws only when this server is out of order. */
  readonly call: (caller: Caller, request: Request) => Promise<MethodResult<Answer>>;
};

/** Any method: requests go in by its own schema, so that the types meet again there. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyMethod = Method<any, any>;

/** Body limit of methods whose requests are a handful of fields. */
export const SMALL_BODY = 1024 * 1024;
export const SMALL_BODY_REFUSAL: Refusal = { code: "protocol", message: "request is too large" };

/** A refused call. */
export const refuse = (code: ErrorCode, message: string): { readonly ok: false; readonly refusal: Refusal } => ({
  ok: false,
  refusal: { code, message },
});
