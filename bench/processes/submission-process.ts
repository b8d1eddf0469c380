/**
 * Submits messages over so many SMTP connections, as smtp-source does to Postfix: a connection is kept for all its messages
 * (there with -d, here logged in once), each command waits for its reply, nothing is pipelined, and there is no TLS. Prints a
 * {@link LoadResult}.
 */
import { generate, type DialogueMaker, type GeneratorJob } from "./generator.ts";

export type SubmissionJob = GeneratorJob & { readonly login: string; readonly password: string };

/** About a kilobyte, as an application's text message has. */
const TEXT = `${"The quick brown fox jumps over the lazy dog, and the dog lets it.".padEnd(72, ".")}\r\n`.repeat(14);

/** What is said for a message, one after the other; each but the last waits for its reply. */
const linesFor = ({ login }: SubmissionJob): ((number: number) => readonly string[]) => {
  const mail = `MAIL FROM:<${login}>\r\n`;
  const content =
    `From: <${login}>\r\nSubject: a message of the benchmark\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    `Content-Transfer-Encoding: 7bit\r\n\r\n${TEXT}.\r\n`;
  return (number) => [mail, `RCPT TO:<user.${String(number).padStart(8, "0")}@sink.example>\r\n`, "DATA\r\n", content];
};

/** Replies that mean: go on. */
const isGood = (reply: string): boolean => /^[23]/.test(reply);

/** What is said before the first message: none of it is measured by the message. */
const opening = ({ login, password }: SubmissionJob): readonly string[] => [
  "EHLO source.bench.example\r\n",
  `AUTH PLAIN ${Buffer.from(`\0${login}\0${password}`).toString("base64")}\r\n`,
];

const LAST_LINE = /^\d{3}(?: .*)?\r\n$/m;

const submissions =
  (job: SubmissionJob): DialogueMaker =>
  (socket, ended, fail) => {
    const lines = linesFor(job);
    let received = "";
    let toSay: string[] = [];
    let done: (reply: string) => void = () => undefined;
    const say = (): void => {
      socket.write(toSay.shift() ?? "", "latin1");
    };
    return {
      // The server speaks first.
      open: (ready) => {
        toSay = [...opening(job)];
        done = (reply) => {
          if (isGood(reply)) ready();
          else fail(new Error(`not logged in: ${reply}`));
        };
      },
      begin: (number) => {
        toSay = [...lines(number)];
        done = (reply) => {
          ended(isGood(reply) ? undefined : reply);
        };
        say();
      },
      take: (text) => {
        received += text;
        if (!LAST_LINE.test(received)) return;
        const reply = received;
        received = "";
        if (toSay.length === 0) done(reply);
        else if (isGood(reply)) say();
        else fail(new Error(`unexpected: ${reply}`));
      },
      close: () => {
        socket.end("QUIT\r\n");
      },
    };
  };

const job = JSON.parse(process.argv[2] ?? "{}") as SubmissionJob;
process.stdout.write(JSON.stringify(await generate(job, submissions(job))));
