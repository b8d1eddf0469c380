/** The part of a DSN that people read. */
import type { BounceClass } from "../../domain/message/bounce-class.ts";
import type { SenderNotice } from "../../domain/message/sender-notice.ts";
import { headerDate } from "./header-text.ts";

/** What a class means for whoever sent the message. */
const MEANING: Readonly<Record<BounceClass, string>> = {
  "bad-address": "There seems to be no such address. Check its spelling.",
  "inactive-mailbox": "The mailbox exists but is not in use.",
  "mailbox-full": "The mailbox has no room for more.",
  greylisting: "The other server wants to see the message again later, as it does with senders that it does not know.",
  "rate-limit": "The other server takes only so much mail in some time.",
  policy: "The other side has a rule against it.",
  content: "The other server does not like what is in the message.",
  spam: "The other server takes the message for spam.",
  reputation: "The other server does not trust the sending server's address or domain.",
  authentication: "The other server cannot tell that the message is really from its sender (SPF, DKIM, DMARC).",
  "too-large": "The message is too large.",
  loop: "The message goes round in circles between servers.",
  protocol: "The two servers do not understand each other.",
  infrastructure: "Something on the way to the other server does not work.",
  unknown: "",
};

const MAX_LINE = 500;

const oneLine = (text: string): string =>
  text
    .slice(0, MAX_LINE)
    .replace(/[\p{Cc}\p{Cs}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, " ")
    .trim();

const TITLE = { failed: "Not delivered", delayed: "Still not delivered", relayed: "Handed on" } as const;

/** Subject of the report, with that of the message. */
export const noticeSubject = ({ action, message }: SenderNotice): string => {
  const subject = oneLine(message.subject);
  return subject === "" ? `${TITLE[action]}: your message to ${oneLine(message.recipient)}` : `${TITLE[action]}: ${subject}`;
};

const whatHappened = ({ action, retryUntil }: SenderNotice): readonly string[] => {
  switch (action) {
    case "failed":
      return ["Your message could not be delivered to"];
    case "delayed":
      return [
        "Your message has not been delivered yet, and you need not send it again:",
        `this server keeps trying${retryUntil === null ? "" : ` until ${headerDate(retryUntil, 0)}`}. It is for`,
      ];
    case "relayed":
      return ["As you asked to be told: the server for this address has taken your message, and will not report about it any further."];
  }
};

const whatWasSaid = ({ reply, reason, action }: SenderNotice): readonly string[] => {
  if (reply === null) return [`The reason: ${oneLine(reason)}`, ""];
  if (action === "relayed" || reply.error === "") return [];
  const host = reply.remoteHost === "" ? reply.remoteAddress : reply.remoteHost;
  const said = [reply.code === 0 ? "" : `${reply.code}`, oneLine(reply.error)].filter((part) => part !== "");
  const text = said.length === 2 && said[1]?.startsWith(said[0] ?? "") === true ? said[1] : said.join(" ");
  const introduction = reply.code === 0 ? "What went wrong on the way:" : `The server ${oneLine(host)} said:`;
  return [introduction, "", `    ${text}`, ""];
};

/** What happened, in a few lines of plain text. */
export const noticeText = (notice: SenderNotice, hostName: string): string => {
  const { message, arrivedAt, bounce } = notice;
  const meaning = bounce === null ? "" : MEANING[bounce.class];
  return [
    `This is the mail server ${hostName}.`,
    "",
    ...whatHappened(notice),
    "",
    `    ${oneLine(message.recipient)}`,
    "",
    ...whatWasSaid(notice),
    ...(meaning === "" ? [] : [meaning, ""]),
    "The message:",
    "",
    `    Subject:    ${oneLine(message.subject)}`,
    `    Message-ID: ${oneLine(message.messageId)}`,
    `    Sent:       ${headerDate(arrivedAt, 0)}`,
    "",
  ].join("\n");
};
