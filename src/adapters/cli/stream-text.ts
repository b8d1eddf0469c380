/** Events as lines for people: the server says in words what happened, so that this need not know every kind. */
import { plain, timeText } from "./output.ts";

/** An event as the admin API tells it. */
export type ToldEvent = {
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly event: { readonly type: string; readonly at: number; readonly result?: { readonly transcript?: readonly string[] } };
  readonly text: string;
};

/** `12  2026-06-01T12:00:00Z  message-1  MessageHeld: put on hold by admin` */
export const eventLine = ({ position, stream, event, text }: ToldEvent): string =>
  plain(`${position}  ${timeText(event.at)}  ${stream}  ${event.type}: ${text}`);

/** The same for events of one stream, with what the servers said where an attempt failed. */
export const historyText = (events: readonly ToldEvent[]): string =>
  events
    .flatMap(({ event, text }) => [
      `${timeText(event.at)}  ${event.type}: ${text}`,
      ...(event.result?.transcript ?? []).map((line) => `    ${line}`),
    ])
    .map((line) => `${plain(line)}\n`)
    .join("");
