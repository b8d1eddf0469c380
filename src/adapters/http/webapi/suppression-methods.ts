/** The methods on an account's suppression list. */
import { z } from "zod";
import type { Address } from "../../../domain/address.ts";
import { parseAddress } from "../../../domain/address.ts";
import type { Suppression, SuppressionList } from "../../../domain/recipient/service.ts";
import { unicodeAddress } from "../../../domain/unicode-address.ts";
import type { AnyMethod, Caller, ErrorCode, Method, MethodResult } from "./method.ts";
import { refuse, SMALL_BODY, SMALL_BODY_REFUSAL } from "./method.ts";

export type SuppressionOptions = {
  readonly suppressionList: SuppressionList;
  /** Entries of an account, in the order in which they are listed. */
  readonly suppressions: (account: string) => readonly Suppression[];
};

const EMPTY = {};
const MAX_REASON = 10_000;

const noFields = z.strictObject({});
const emptyAnswer = z.object({});
const addressed = z.strictObject({ EmailAddress: z.string().describe("Email address, required.") });
const addition = z.strictObject({
  EmailAddress: z.string().describe("Email address, required."),
  Manual: z.boolean().describe("Whether a person asked for it."),
  Reason: z.string().describe("Free text, optional."),
});
const presence = z.object({ Present: z.boolean() });
const list = z.object({
  Suppressions: z.array(
    z.object({
      ID: z.int(),
      Created: z.string().describe("When it was added, RFC 3339."),
      Account: z.string(),
      BaseAddress: z.string().describe("Form under which addresses are compared: lower case, no tag."),
      OriginalAddress: z.string(),
      Manual: z.boolean(),
      Reason: z.string(),
    }),
  ),
});

const BAD_ADDRESS: readonly [ErrorCode, string] = ["badAddress", "the address does not parse"];
const small = { maxBody: SMALL_BODY, tooLarge: SMALL_BODY_REFUSAL };
const exampleAddressed = { EmailAddress: "customer@example.com" };

/** Runs `work` with the parsed address, or refuses. */
const withAddress = async <Answer>(
  text: string,
  work: (address: Address) => Promise<MethodResult<Answer>>,
): Promise<MethodResult<Answer>> => {
  const address = parseAddress(text);
  return address === undefined ? refuse("badAddress", `${JSON.stringify(text.slice(0, 300))} is not an email address`) : work(address);
};

const by = ({ account }: Caller) => ({ kind: "account", name: account.name }) as const;

const wireSuppression = (entry: Suppression) => ({
  ID: entry.id,
  Created: new Date(entry.createdAt).toISOString(),
  Account: entry.account,
  BaseAddress: unicodeAddress(entry.baseAddress),
  OriginalAddress: unicodeAddress(entry.originalAddress),
  Manual: entry.manual,
  Reason: entry.reason,
});

/** Builds the methods SuppressionList, SuppressionAdd, SuppressionRemove and SuppressionPresent. */
export const suppressionMethods = ({ suppressionList, suppressions }: SuppressionOptions): readonly AnyMethod[] => {
  const listing: Method<z.output<typeof noFields>, z.output<typeof list>> = {
    name: "SuppressionList",
    summary: "Lists the addresses that this account does not send to.",
    errors: [],
    ...{ request: noFields, answer: list, exampleRequest: {}, ...small },
    exampleAnswer: {
      Suppressions: [
        wireSuppression({
          ...{ id: 68719476736, createdAt: Date.UTC(2026, 5, 1, 12), account: "shop", manual: false },
          ...{ baseAddress: "customer@example.com", originalAddress: "customer+orders@example.com", reason: "550 5.1.1 no such user" },
        }),
      ],
    },
    call: ({ account }) => Promise.resolve({ ok: true, answer: { Suppressions: suppressions(account.name).map(wireSuppression) } }),
  };

  const adding: Method<z.output<typeof addition>, z.output<typeof emptyAnswer>> = {
    name: "SuppressionAdd",
    summary: "Adds an address to the list: messages to it fail without an attempt.",
    errors: [BAD_ADDRESS, ["error", "the address is on the list already"]],
    ...{ request: addition, answer: emptyAnswer, exampleAnswer: EMPTY, ...small },
    exampleRequest: { ...exampleAddressed, Manual: true, Reason: "asked not to be written to" },
    call: (caller, { EmailAddress, Manual, Reason }) =>
      withAddress(EmailAddress, async (address) => {
        if (Reason.length > MAX_REASON) return refuse("user", `Reason is longer than ${MAX_REASON} characters`);
        const outcome = await suppressionList.add(caller.account.name, address, { manual: Manual, reason: Reason, by: by(caller) });
        return outcome === "added" ? { ok: true, answer: EMPTY } : refuse("error", "address is on the suppression list already");
      }),
  };

  const removing: Method<z.output<typeof addressed>, z.output<typeof emptyAnswer>> = {
    name: "SuppressionRemove",
    summary: "Takes an address off the list.",
    errors: [BAD_ADDRESS, ["error", "the address is not on the list"]],
    ...{ request: addressed, answer: emptyAnswer, exampleRequest: exampleAddressed, exampleAnswer: EMPTY, ...small },
    call: (caller, { EmailAddress }) =>
      withAddress(EmailAddress, async (address) => {
        const outcome = await suppressionList.remove(caller.account.name, address, by(caller));
        return outcome === "removed" ? { ok: true, answer: EMPTY } : refuse("error", "address is not on the suppression list");
      }),
  };

  const asking: Method<z.output<typeof addressed>, z.output<typeof presence>> = {
    name: "SuppressionPresent",
    summary: "Tells whether an address is on the list.",
    errors: [BAD_ADDRESS],
    ...{ request: addressed, answer: presence, exampleRequest: exampleAddressed, exampleAnswer: { Present: true }, ...small },
    call: ({ account }, { EmailAddress }) =>
      withAddress(EmailAddress, async (address) => ({
        ok: true,
        answer: { Present: await suppressionList.present(account.name, address) },
      })),
  };

  return [listing, adding, removing, asking];
};
