/** A courier for tests, with the least that a test has to say: where things go, and what is different this time. */
import { afterEach } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";

import type { Delivery } from "../../src/domain/delivery.ts";
import { CONTENT_PIECE } from "../../src/domain/event-log.ts";
import type { AttemptResult, DeliveryOutcome } from "../../src/domain/smtp-result.ts";
import type { Resolver } from "../../src/adapters/dns/resolver.ts";
import { courier, type CourierOptions } from "../../src/adapters/smtp-out/courier.ts";
import type { Smarthost } from "../../src/adapters/smtp-out/transport.ts";
import { type RemoteOptions, type Script, scriptedRemote, type ScriptedRemote } from "./scripted-remote.ts";
import { virtualClock } from "./virtual-clock.ts";

export const CONTENT = Buffer.from("From: app@sender.example\r\nTo: you@receiver.example\r\nSubject: Hello\r\n\r\nHello.\r\n");

/** A smarthost on loopback without TLS. */
export const smarthost = (port: number, rest: Partial<Smarthost> = {}): Smarthost => ({
  kind: "smarthost",
  host: "127.0.0.1",
  port,
  tls: "none",
  verifyCertificate: true,
  ...rest,
});

/** Fails the test when anything is looked up. */
export const noResolver: Resolver = {
  mx: (domain) => Promise.reject(new Error(`unexpected look-up of the mail exchangers of ${domain}`)),
  addresses: (host) => Promise.reject(new Error(`unexpected look-up of ${host}`)),
};

/** A store in which every content is this one, in pieces as a store hands them out. */
export const storing = (content: Uint8Array): CourierOptions["contents"] => ({
  open: async () => ({
    size: content.byteLength,
    pieces: {
      async *[Symbol.asyncIterator]() {
        for (let at = 0; at < content.byteLength; at += CONTENT_PIECE) {
          await nextTurn();
          yield new Uint8Array(content.subarray(at, at + CONTENT_PIECE));
        }
      },
    },
  }),
});

/** A courier whose contents are all {@link CONTENT} unless said otherwise. */
export const testCourier = (options: Partial<CourierOptions>): ReturnType<typeof courier> =>
  courier({
    contents: storing(CONTENT),
    clock: virtualClock(),
    resolver: noResolver,
    transports: {},
    routes: [],
    hostName: "sender.example",
    onError: (error) => {
      throw error;
    },
    ...options,
  });

/** A delivery of message 1 to you@receiver.example by the transport `smarthost`. */
export const delivery = (rest: Partial<Delivery> = {}): Delivery => ({
  account: "app",
  attempt: 1,
  mailFrom: "app@sender.example",
  senderDomain: "sender.example",
  recipientDomain: "receiver.example",
  recipients: [{ messageId: 1, address: "you@receiver.example", notify: null, originalRecipient: "" }],
  contentId: 1,
  size: CONTENT.length,
  envelopeId: "",
  returnContent: null,
  requireTls: null,
  smtpUtf8: false,
  eightBit: false,
  transport: "smarthost",
  ...rest,
});

/** A signal that never aborts. */
export const noSignal = (): AbortSignal => new AbortController().signal;

/** The result of an outcome that has one. */
export const resultOf = (outcome: DeliveryOutcome | undefined): AttemptResult => {
  if (outcome === undefined || outcome.kind === "interrupted") throw new Error(`no result: ${JSON.stringify(outcome)}`);
  return outcome.result;
};

/** `kind code enhancedCode`, with `for good` where a rejection is permanent: what most tests are about. */
export const inShort = (outcome: DeliveryOutcome | undefined): string => {
  if (outcome === undefined) return "nothing";
  if (outcome.kind === "interrupted") return "interrupted";
  const { code, enhancedCode } = outcome.result;
  const forGood = outcome.kind === "rejected" && outcome.permanent ? " for good" : "";
  return `${outcome.kind}${forGood} ${code}${enhancedCode === "" ? "" : ` ${enhancedCode}`}`;
};

/** A script that answers one phase, and leaves the rest as it is. */
export const at =
  (phase: string, reply: ReturnType<Script>): Script =>
  (step) =>
    step.phase === phase ? reply : undefined;

type Stage = { readonly remote: ScriptedRemote; readonly courier: ReturnType<typeof courier> };
type SetStage = (remote?: RemoteOptions, options?: Partial<CourierOptions>, host?: Partial<Smarthost>) => Promise<Stage>;

/** For a test file: a remote and a courier that has it as `smarthost`, closed after each test. */
export const stages = (): SetStage => {
  const set: Stage[] = [];
  afterEach(async () => {
    for (const { remote, courier: ours } of set.splice(0)) {
      await ours.close();
      await remote.close();
    }
  });
  return async (remoteOptions = {}, options = {}, host = {}) => {
    const remote = await scriptedRemote(remoteOptions);
    const ours = testCourier({ transports: { smarthost: smarthost(remote.port, host) }, ...options });
    set.push({ remote, courier: ours });
    return { remote, courier: ours };
  };
};
