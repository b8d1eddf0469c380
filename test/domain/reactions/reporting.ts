/** What the tests of reports that come back share. */
import type { Account } from "../../../src/domain/account/account.ts";
import { messageStream } from "../../../src/domain/message/events.ts";
import { receivedStream, type ReceivedMessage } from "../../../src/domain/received/events.ts";
import type { RecipientReport, Report } from "../../../src/domain/received/report.ts";
import type { Submission } from "../../../src/domain/submission/submission.ts";
import { aReceivedMessage, anAccount, outgoing } from "../../support/samples.ts";
import { world, type World } from "../../support/world.ts";
import { eventsOf, webhook } from "./reacting.ts";

type Dsn = Extract<Report, { kind: "dsn" }>;
type Complaint = Extract<Report, { kind: "complaint" }>;

export const block = (changes: Partial<RecipientReport> = {}): RecipientReport => ({
  finalRecipient: "bob@there.example",
  originalRecipient: "",
  action: "failed",
  code: 550,
  enhancedCode: "5.1.1",
  diagnostic: "no such user",
  remoteHost: "mx.there.example",
  ...changes,
});

export const dsn = (changes: Partial<Dsn> = {}): Dsn => ({
  kind: "dsn",
  originalEnvelopeId: "",
  reportingHost: "relay.example",
  recipients: [block()],
  returned: { messageId: "" },
  ...changes,
});

export const complaint = (changes: Partial<Complaint> = {}): Complaint => ({
  kind: "complaint",
  feedbackType: "abuse",
  originalEnvelopeId: "",
  originalRecipients: [],
  originalMailFrom: "",
  returned: { messageId: "" },
  ...changes,
});

const ASKED_FOR = new Set(["failed", "delayed", "delivered", "relayed", "expanded", "unrecognized", "complained"] as const);

export const shop = (changes: Partial<Account> = {}): Account =>
  anAccount({
    outgoingWebhook: webhook({ events: ASKED_FOR, mode: "every" }),
    incomingWebhook: { url: "https://hooks.shop.example/in" },
    fromIdLoginAddresses: ["news@shop.example"],
    ...changes,
  });

export const club = anAccount({
  name: "club",
  addresses: ["club@shop.example"],
  incomingWebhook: { url: "https://hooks.club.example/in" },
  outgoingWebhook: webhook(),
});

/** Login whose messages have fromids, which count up: token2, token3, ... for the first submission, whose envelope is token1. */
export const unique: Partial<Submission> = {
  login: { localPart: "news", domain: "shop.example", text: "news@shop.example" },
  from: { localPart: "news", domain: "shop.example", text: "news@shop.example" },
};

export const opened = async (accounts: Account[] = [shop(), club]): Promise<World> => {
  const one = world({ accounts });
  await one.begin();
  return one;
};

let nextReceived = 5_000;

/** Something arrives; what follows comes later. */
export const put = (one: World, changes: Partial<ReceivedMessage>): number => {
  const id = (nextReceived += 3);
  const message = aReceivedMessage({ id, contentId: id + 1, callId: id + 2, ...changes });
  one.log.write(receivedStream(id), { type: "MessageReceived", at: one.clock.now(), ...message });
  return id;
};

/** Something arrives, and everything that follows happens. */
export const arrive = async (one: World, changes: Partial<ReceivedMessage>): Promise<number> => {
  const id = put(one, changes);
  await one.quiet();
  return id;
};

export const noted = (one: World, id: number) =>
  one.log.all().flatMap(({ stream, event }) => (stream === messageStream(id) && "receivedId" in event ? [event] : []));

/** How many calls of the incoming webhook were made. */
export const announced = (one: World): number => one.caller.calls.filter(({ kind }) => kind === "incoming").length;

export const told = (one: World) => one.caller.calls.flatMap((call) => (call.kind === "outgoing" ? [outgoing(call)] : []));

export const listed = (one: World): readonly string[] => eventsOf(one.log, "SuppressionAdded").map(({ baseAddress }) => baseAddress);

/** A delivered message to bob with a fromid, and that fromid. */
export const sent = async (one: World): Promise<{ readonly id: number; readonly fromId: string }> => {
  const [id = 0] = await one.send(["bob@there.example"], unique);
  await one.quiet();
  return { id, fromId: eventsOf(one.log, "MessageQueued").at(-1)?.fromId ?? "" };
};
