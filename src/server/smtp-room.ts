/** How much of incoming messages all SMTP listeners together keep in memory. */
import type { Config } from "../adapters/config/schema.ts";
import { type Room, roomFor } from "../adapters/smtp-in/room.ts";

export type SmtpRoom = {
  readonly clients: Room;
  /** A part of the same room: strangers cannot fill it, so that there is always some left for clients that log in. */
  readonly strangers: Room;
};

/** Largest messages that may come in at the same time; smaller ones accordingly more. */
const LARGE_MESSAGES = 8;
const LARGE_MESSAGES_OF_STRANGERS = 6;

/** For all SMTP listeners of a server. */
export const smtpRoom = ({ maxMessageSize }: Pick<Config, "maxMessageSize">): SmtpRoom => {
  const clients = roomFor(LARGE_MESSAGES * maxMessageSize);
  return { clients, strangers: roomFor(LARGE_MESSAGES_OF_STRANGERS * maxMessageSize, clients) };
};
