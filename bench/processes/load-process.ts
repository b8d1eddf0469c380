/**
 * Calls Send as fast as the server answers, over so many kept connections, one call at a time on each. Raw HTTP over
 * sockets: it shares the machine with what it measures, so it must cost next to nothing. Prints a {@link LoadResult}.
 */
import { connect } from "node:net";
import { percentile } from "../statistics.ts";
import { monotonicMs } from "./counter.ts";

export type LoadJob = {
  readonly port: number;
  readonly login: string;
  readonly password: string;
  readonly connections: number;
  /** Calls in all. */
  readonly count: number;
  /** Recipients of each message. */
  readonly recipients: number;
  /** Domains that the recipients are in, in turns. */
  readonly domains: number;
  /** Number of the first call: makes recipients differ from those of earlier runs. */
  readonly from: number;
};

export type LoadResult = {
  readonly accepted: number;
  /** Answers other than 200, and the first of them. */
  readonly refused: number;
  readonly firstRefusal: string | undefined;
  /** By the machine's monotonic clock: from the first call to the last answer, ms. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

/** Stands in the request for the number of the call, which has as many digits. */
const NUMBER = "00000000";
/** The same for the number of the domain. */
const DOMAIN = "99999999";
/** About a kilobyte, as an application's text message has. */
const TEXT = `${"The quick brown fox jumps over the lazy dog, and the dog lets it.".padEnd(72, ".")}\n`.repeat(14);

/** The request for a call, by its number. Recipients differ from call to call, as in life. */
const requestFor = ({ login, password, recipients, domains }: LoadJob): ((number: number) => string) => {
  const domain = domains === 1 ? "sink.example" : `d${DOMAIN}.sink.example`;
  const to = Array.from({ length: recipients }, (_, index) => ({ Address: `user${index}.${NUMBER}@${domain}` }));
  const body = `request=${encodeURIComponent(JSON.stringify({ To: to, Subject: "a message of the benchmark", Text: TEXT }))}`;
  const head = [
    "POST /webapi/v0/Send HTTP/1.1",
    "Host: 127.0.0.1",
    `Authorization: Basic ${Buffer.from(`${login}:${password}`).toString("base64")}`,
    "Content-Type: application/x-www-form-urlencoded",
    `Content-Length: ${body.length}`,
  ];
  const pieces = `${head.join("\r\n")}\r\n\r\n${body}`.split(NUMBER);
  const written = (number: number): string => String(number).padStart(NUMBER.length, "0");
  return (number) => {
    const text = pieces.join(written(number));
    return domains === 1 ? text : text.replaceAll(DOMAIN, written(number % domains));
  };
};

/** Length of the answer that a text begins with; undefined while its head is not complete. */
const answerLength = (text: string): number | undefined => {
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head))?.[1];
  if (length === undefined) throw new Error(`an answer without Content-Length: ${text.slice(0, head)}`);
  return head + 4 + Number(length);
};

const run = async (job: LoadJob): Promise<LoadResult> => {
  const request = requestFor(job);
  const latencies: number[] = [];
  let next = 0;
  let refused = 0;
  let firstRefusal: string | undefined;

  const worker = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect(job.port, "127.0.0.1").setNoDelay(true).setEncoding("latin1");
      let received = "";
      let sentAt = 0;
      const send = (): void => {
        if (next >= job.count) {
          socket.end();
          resolve();
          return;
        }
        sentAt = performance.now();
        socket.write(request(job.from + next), "latin1");
        next += 1;
      };
      socket.once("connect", send);
      socket.once("error", reject);
      socket.once("close", () => {
        reject(new Error("the server closed a connection"));
      });
      socket.on("data", (text: string) => {
        received += text;
        const length = answerLength(received);
        if (length === undefined || received.length < length) return;
        latencies.push(performance.now() - sentAt);
        if (!received.startsWith("HTTP/1.1 200 ")) {
          refused += 1;
          firstRefusal ??= received;
        }
        received = received.slice(length);
        send();
      });
    });

  const startedAt = monotonicMs();
  await Promise.all(Array.from({ length: job.connections }, worker));
  const durationMs = monotonicMs() - startedAt;
  const accepted = latencies.length - refused;
  return { accepted, refused, firstRefusal, startedAt, durationMs, p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
};

process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2] ?? "{}") as LoadJob)));
