/** A submission listener for tests, with logins and limits as in earnest; what it queues is kept. Gone after each test. */
import { afterEach } from "node:test";
import { authenticator } from "../../src/adapters/auth/authenticator.ts";
import { failureLimiter } from "../../src/adapters/auth/failure-limiter.ts";
import { conductOf } from "../../src/adapters/smtp-in/mx/conduct.ts";
import { roomFor } from "../../src/adapters/smtp-in/room.ts";
import { submissionListener, SUBMISSION_LIMITS, type SubmissionListenerOptions } from "../../src/adapters/smtp-in/submission/server.ts";
import type { Account } from "../../src/domain/account/account.ts";
import { joinContent } from "../../src/domain/content.ts";
import type { Submission, Submit } from "../../src/domain/submission/submission.ts";
import { validCertificate } from "./certificates.ts";
import { anAccount, directoryOf } from "./samples.ts";
import { type Dialogue, smtpDialogue } from "./smtp-dialogue.ts";
import { virtualClock, type VirtualClock } from "./virtual-clock.ts";

export const USER = "orders@shop.example";
export const PASSWORD = "a secret of the shop";

/** From an address of the account, and nothing else. */
export const MESSAGE = "From: Orders <orders@shop.example>\r\nSubject: Your order\r\n\r\nThanks.\r\n";

export type Counter = {
  readonly port: number;
  readonly clock: VirtualClock;
  /** What was handed to the queue, which took it. */
  readonly queued: Submission[];
  readonly errors: unknown[];
  /** Connects; nothing has been said. */
  readonly visit: () => Promise<Dialogue>;
  /** Connects, says EHLO, logs in. */
  readonly enter: (user?: string, password?: string) => Promise<Dialogue>;
  readonly close: () => Promise<void>;
};

type Changes = Partial<Omit<SubmissionListenerOptions, "submit">> & { readonly submit?: Submit; readonly accounts?: Account[] };

/** The content of a submission as text. */
export const textOf = ({ content }: Pick<Submission, "content">): string => Buffer.from(joinContent(content)).toString("utf8");

/** For a test file: a listener that takes logins in the clear, unless said otherwise, and has a certificate. */
export const counters = (): ((changes?: Changes) => Promise<Counter>) => {
  const open: { readonly visitors: Dialogue[]; readonly close: () => Promise<void> }[] = [];
  afterEach(async () => {
    for (const { visitors, close } of open.splice(0)) {
      for (const visitor of visitors) visitor.hangUp();
      await close();
    }
  });
  return async ({ accounts = [anAccount()], ...changes } = {}) => {
    const clock = virtualClock();
    const directory = directoryOf(accounts);
    const queued: Submission[] = [];
    const errors: unknown[] = [];
    const visitors: Dialogue[] = [];
    const submit: Submit = async (submission) => {
      queued.push(submission);
      const ids = submission.recipients.map(({ text }, index) => ({ id: queued.length * 1_000 + index, recipient: text, fromId: "" }));
      return { accepted: true, submissionId: queued.length, queued: ids };
    };
    const listener = submissionListener({
      ...{ address: "127.0.0.1", port: 0, hostName: "posthorn.example", clock, directory, submit, tls: validCertificate },
      ...{ allowInsecureLogin: true, maxMessageSize: 100_000, closeMs: 1_000, room: roomFor(400_000) },
      authenticator: authenticator({ directory, clock, passwordOf: () => PASSWORD, cost: { ln: 4, r: 8, p: 1 } }),
      limiter: failureLimiter(clock),
      newMessageId: () => "<made@posthorn.example>",
      conduct: conductOf({ clock, limits: SUBMISSION_LIMITS, networkOf: (address) => address }),
      onError: (error) => errors.push(error),
      ...changes,
    });
    const port = await listener.listen();
    open.push({ visitors, close: listener.close });
    const visit = async (): Promise<Dialogue> => {
      const visitor = await smtpDialogue(port, { tls: changes.implicitTls === true });
      visitors.push(visitor);
      return visitor;
    };
    const enter: Counter["enter"] = async (user = USER, password = PASSWORD) => {
      const visitor = await visit();
      await visitor.reply();
      await visitor.say("EHLO client.example");
      await visitor.login(user, password);
      return visitor;
    };
    return { port, clock, queued, errors, visit, enter, close: listener.close };
  };
};
