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

export const timeline = (events: readonly Recorded[], now: Instant): Html =>
  html`<ol class="timeline">
      ${events.slice(0, MAX_EVENTS).map(
        ({ event, revision, position }) =>
          html` <li>
            <div><span class="what">${event.type}</span> ${instantText(event.at, now)}</div>
            <div>${eventText(event)}${callLink(event)}</div>
            <details>
              <summary>revision ${revision}, position ${position}</summary>
              <pre class="wrap">${JSON.stringify(event, null, 2)}</pre>
            </details>
          </li>`,
      )}
    </ol>
    ${events.length > MAX_EVENTS && html`<p class="soft">${events.length - MAX_EVENTS} more events: the admin API has them all.</p>`}`;
