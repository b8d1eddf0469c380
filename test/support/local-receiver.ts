/** A local receiver for tests, with a client already connected; both are gone after each test. */
import { afterEach } from "node:test";

import type { Arrival } from "../../src/adapters/smtp-in/intake.ts";
import { readHeader } from "../../src/adapters/mime/reader/mail-header.ts";
import { type LocalReceiver, localReceiver, type LocalReceiverOptions } from "../../src/adapters/smtp-in/receiver.ts";
import { type Dialogue, smtpDialogue } from "./smtp-dialogue.ts";
import { roomFor } from "../../src/adapters/smtp-in/room.ts";
import { virtualClock, type VirtualClock } from "./virtual-clock.ts";

type Stage = {
  readonly receiver: LocalReceiver;
  readonly port: number;
  readonly clock: VirtualClock;
  readonly arrivals: Arrival[];
  readonly client: Dialogue;
};

/** For a test file: a receiver that takes everything, on a port of its own. */
export const receivers = (): ((options?: Partial<LocalReceiverOptions>) => Promise<Stage>) => {
  const stages: Stage[] = [];
  afterEach(async () => {
    for (const { receiver, client } of stages.splice(0)) {
      client.hangUp();
      await receiver.close();
    }
  });
  return async (options = {}) => {
    const clock = virtualClock();
    const arrivals: Arrival[] = [];
    const receiver = localReceiver({
      address: "127.0.0.1",
      port: 0,
      hostName: "localhost",
      clock,
      maxMessageSize: 100_000,
      room: roomFor(400_000),
      readHeader,
      onMessage: (arrival) => {
        arrivals.push(arrival);
        return Promise.resolve({ accepted: true });
      },
      ...options,
    });
    const port = await receiver.listen();
    const set = { receiver, port, clock, arrivals, client: await smtpDialogue(port) };
    stages.push(set);
    return set;
  };
};

/** A message without its final dot. */
export const MESSAGE = "From: App <app@sender.example>\r\nSubject: Hi\r\nMessage-ID: <1@sender.example>\r\n\r\nHello.\r\n";
/** Octet for octet. */
export const text = ({ content }: Arrival): string => Buffer.concat(content).toString("latin1");
