/** Suppressions and hold rules: the lists that decide about messages before they are sent. */
import { z } from "zod";
import { asciiDomain, baseAddress, parseAddress } from "../../../domain/address.ts";
import { json, refused, type Answer } from "./answer.ts";
import { ADMIN, type AdminParts } from "./options.ts";
import { pageAnswer } from "./page-answer.ts";
import { idParams, line, pageQuery } from "./parameters.ts";
import { route, type Route } from "./route.ts";

const MAX_REASON = 500;

const address = line.transform((text, context) => {
  const parsed = parseAddress(text);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: "custom", message: "expected an address, user@domain" });
  return z.NEVER;
});

const domain = line.transform((text, context) => {
  const name = asciiDomain(text);
  if (name !== undefined) return name;
  context.addIssue({ code: "custom", message: "expected a domain" });
  return z.NEVER;
});

const suppressionQuery = z.strictObject({ ...pageQuery, account: line.optional() });
const suppressionParams = z.strictObject({ account: line, address });
const suppressionBody = z.strictObject({
  account: line,
  address,
  manual: z.boolean().default(true),
  reason: z
    .string()
    .max(MAX_REASON)
    .regex(/^[^\p{Cc}]*$/u, "must be one line")
    .default(""),
});

const ruleBody = z.strictObject({
  account: line.nullable().default(null),
  senderDomain: domain.nullable().default(null),
  recipientDomain: domain.nullable().default(null),
  /** A rule without conditions holds everything, and must say so. */
  all: z.literal(true).optional(),
});

const noSuchAccount = (name: string): Answer => refused("accountNotFound", `there is no account ${JSON.stringify(name)}`);

export const suppressionRoutes = ({ queries, parseCursor, suppressions, directory }: AdminParts): readonly Route[] => [
  route("GET", "/suppressions", { query: suppressionQuery }, ({ query }) =>
    pageAnswer(parseCursor, query, (request) => queries.suppressionPage(query.account ?? null, request)),
  ),
  route("POST", "/suppressions", { body: suppressionBody }, async ({ body }) => {
    if (directory.account(body.account) === undefined) return noSuchAccount(body.account);
    const { manual, reason } = body;
    const result = await suppressions.add(body.account, body.address, { manual, reason, by: ADMIN });
    if (result === "alreadyPresent") return refused("alreadyExists", `${baseAddress(body.address)} is on the list already`);
    return json({ added: true, account: body.account, baseAddress: baseAddress(body.address) });
  }),
  // An account that is gone may still have a list, so this asks only whether the entry exists.
  route("DELETE", "/suppressions/:account/:address", { params: suppressionParams }, async ({ params }) => {
    const result = await suppressions.remove(params.account, params.address, ADMIN);
    if (result === "notPresent") return refused("notFound", `${baseAddress(params.address)} is not on the list`);
    return json({ removed: true, account: params.account, baseAddress: baseAddress(params.address) });
  }),
];

export const holdRuleRoutes = ({ queries, holdRules, directory }: AdminParts): readonly Route[] => [
  route("GET", "/holdrules", {}, () => json({ items: queries.holdRules(), next: null })),
  route("POST", "/holdrules", { body: ruleBody }, async ({ body: { all, ...rule } }) => {
    const isEmpty = rule.account === null && rule.senderDomain === null && rule.recipientDomain === null;
    if (isEmpty && all !== true)
      return refused("filterRequired", "a rule without conditions holds everything: to mean that, say all: true");
    if (!isEmpty && all === true) return refused("badRequest", "all: stands beside conditions: keep one of them");
    if (rule.account !== null && directory.account(rule.account) === undefined) return noSuchAccount(rule.account);
    const added = await holdRules.add(rule, ADMIN);
    return added === "exists" ? refused("alreadyExists", "there is the same rule already") : json({ rule: added });
  }),
  route("DELETE", "/holdrules/:id", { params: idParams }, async ({ params: { id } }) =>
    (await holdRules.remove(id, ADMIN)) === "removed" ? json({ removed: true, id }) : refused("notFound", `there is no hold rule ${id}`),
  ),
];
