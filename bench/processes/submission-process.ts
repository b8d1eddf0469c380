/**
 * Submits messages over so many SMTP connections, as smtp-source does to Postfix: a connection is kept for all its messages
 * (there with -d, here logged in once), each command waits for its reply, nothing is pipelined, and there is no TLS. Raw
 * sockets: it shares the machine with what it measures, so it must cost next to nothing. Prints a {@link LoadResult}.
 */
import { connect } from "node:net";
import { percentile } from "../statistics.ts";
import { monotonicMs } from "./counter.ts";
import type { LoadResult } from "./load-process.ts";

export type SubmissionJob = {
  readonly port: number;
  readonly login: string;
  readonly password: string;
  readonly connections: number;
  /** Messages in all. */
  readonly count: number;
  /** Number of the first message: makes recipients differ from those of earlier runs. */
  readonly from: number;
};

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

const run = async (job: SubmissionJob): Promise<LoadResult> => {
  const lines = linesFor(job);
  const latencies: number[] = [];
  let next = 0;
  let refused = 0;
  let firstRefusal: string | undefined;

  const worker = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect(job.port, "127.0.0.1").setNoDelay(true).setEncoding("latin1");
      let toSay = [...opening(job)];
      let received = "";
      let sentAt = 0;
      let isOpen = false;
      const begin = (): void => {
        if (next >= job.count) {
          socket.end("QUIT\r\n");
          resolve();
          return;
        }
        sentAt = performance.now();
        toSay = [...lines(job.from + next)];
        next += 1;
        say();
      };
      const say = (): void => {
        socket.write(toSay.shift() ?? "", "latin1");
      };
      const end = (reply: string): void => {
        if (isOpen) latencies.push(performance.now() - sentAt);
        isOpen = true;
        if (!isGood(reply)) {
          refused += 1;
          firstRefusal ??= reply;
        }
        begin();
      };
      socket.once("error", reject);
      socket.once("close", () => {
        reject(new Error("the server closed a connection"));
      });
      socket.on("data", (text: string) => {
        received += text;
        if (!LAST_LINE.test(received)) return;
        const reply = received;
        received = "";
        if (!isGood(reply) && toSay.length > 0) reject(new Error(`unexpected: ${reply}`));
        else if (toSay.length > 0) say();
        else end(reply);
      });
    });

  const startedAt = monotonicMs();
  await Promise.all(Array.from({ length: job.connections }, worker));
  const durationMs = monotonicMs() - startedAt;
  const accepted = latencies.length - refused;
  return { accepted, refused, firstRefusal, startedAt, durationMs, p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
};

process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2] ?? "{}") as SubmissionJob)));
