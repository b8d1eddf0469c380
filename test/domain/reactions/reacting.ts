/** What the tests of the reactions share. */
import type { OutgoingWebhook } from "../../../src/domain/account/account.ts";
import type { DomainEvent } from "../../../src/domain/events.ts";
import type { MessageFinder } from "../../../src/domain/operations/operations.ts";
import { REACTIONS_CHECKPOINT } from "../../../src/domain/reactions/reactions.ts";
import type { OutgoingEvent } from "../../../src/domain/webhook/events.ts";
import type { MemoryLog } from "../../support/memory-log.ts";
import { anAccount, outgoing } from "../../support/samples.ts";
import { world, type World } from "../../support/world.ts";

export const webhook = (changes: Partial<OutgoingWebhook> = {}): OutgoingWebhook => ({
  url: "https://hooks.shop.example/mail",
  events: null,
  mode: "latest",
  ...changes,
});

export const withWebhook = (changes: Partial<OutgoingWebhook> = {}, more: Parameters<typeof anAccount>[0] = {}): World =>
  world({ accounts: [anAccount({ outgoingWebhook: webhook(changes), ...more })] });

export const eventsOf = <Type extends DomainEvent["type"]>(log: MemoryLog, type: Type): readonly Extract<DomainEvent, { type: Type }>[] =>
  log.all().flatMap(({ event }) => (event.type === type ? [event as Extract<DomainEvent, { type: Type }>] : []));

/** Finds all messages that were ever queued. */
export const messagesOf =
  (one: World): MessageFinder =>
  (after, limit) =>
    eventsOf(one.log, "MessageQueued")
      .map(({ id }) => id)
      .filter((id) => id > after)
      .slice(0, limit);

export const told = (one: World): readonly OutgoingEvent[] => one.caller.calls.map((call) => outgoing(call).event);

/** Ends the core, then lets another read everything again from a place in the log. */
export const readAgain = async (one: World, from: number): Promise<World> => {
  await one.core.stop(0);
  one.log.checkpoints.set(REACTIONS_CHECKPOINT, from);
  const other = world({
    log: one.log,
    clock: one.clock,
    accounts: [anAccount({ outgoingWebhook: webhook(), firstTimeRecipientsPerDay: 100 })],
  });
  other.courier.answer = one.courier.answer;
  await other.begin();
  return other;
};
