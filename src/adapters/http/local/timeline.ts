/** A stream's events as a page shows them: in order, in words, with the stored event at hand. */
import type { Instant } from "../../../domain/clock.ts";
import type { Recorded } from "../../../domain/event-log.ts";
import type { DomainEvent } from "../../../domain/events.ts";
import { eventText } from "../admin/wording.ts";
import { html, type Html } from "../html.ts";
import { instantText } from "./layout.ts";

/** Events shown of one stream; a message has a few dozen at most unless somebody plays with it. */
const MAX_EVENTS = 500;

/** The webhook call that an event caused, as a link; whether mail that came caused one is told beside. */
const callLink = (event: DomainEvent): Html | null =>
  "callId" in event && event.type !== "MessageReceived" ? html` <a href="/webhooks/${event.callId}">webhook call</a>` : null;

/** The received message that an event tells of, or that tells the sender of the event, as a link. */
const reportLink = ({ event, revision }: Recorded, reports: ReportIds): Html | null => {
  if ("receivedId" in event) return html` <a href="/received/${event.receivedId}">the report</a>`;
  const id = reports.get(revision);
  return id === undefined ? null : html` <a href="/received/${id}">report to the sender</a>`;
};

/** Revisions of the events that senders get reports about, with the ids of those reports. */
export type ReportIds = ReadonlyMap<number, number>;

const NO_REPORTS: ReportIds = new Map();

/** What was said between the servers, where an attempt failed. */
const transcript = (event: DomainEvent): Html | null => {
  const lines = "result" in event && "transcript" in event.result ? event.result.transcript : undefined;
  return lines === undefined || lines.length === 0
    ? null
    : html`<details>
        <summary>what the servers said</summary>
        <pre class="wrap">${lines.join("\n")}</pre>
      </details>`;
};

export const timeline = (events: readonly Recorded[], now: Instant, reports: ReportIds = NO_REPORTS): Html =>
  html`<ol class="timeline">
      ${events.slice(0, MAX_EVENTS).map(
        (recorded) =>
          html` <li>
            <div><span class="what">${recorded.event.type}</span> ${instantText(recorded.event.at, now)}</div>
            <div>${eventText(recorded.event)}${reportLink(recorded, reports)}${callLink(recorded.event)}</div>
            ${transcript(recorded.event)}
            <details>
              <summary>revision ${recorded.revision}, position ${recorded.position}</summary>
              <pre class="wrap">${JSON.stringify(recorded.event, null, 2)}</pre>
            </details>
          </li>`,
      )}
    </ol>
    ${events.length > MAX_EVENTS && html`<p class="soft">${events.length - MAX_EVENTS} more events: the admin API has them all.</p>`}`;
