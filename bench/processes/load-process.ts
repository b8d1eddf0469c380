/**
 * Calls Send as fast as the server answers, over so many kept connections, one call at a time on each. Raw HTTP over
 * sockets. Prints a {@link LoadResult}.
 */
import { generate, type DialogueMaker, type GeneratorJob } from "./generator.ts";

export type LoadJob = GeneratorJob & {
  readonly login: string;
  readonly password: string;
  /** Recipients of each message. */
  readonly recipients: number;
  /** Domains that the recipients are in, in turns. */
  readonly domains: number;
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

const calls =
  (job: LoadJob): DialogueMaker =>
  (socket, ended) => {
    const request = requestFor(job);
    let received = "";
    return {
      open: (ready) => {
        ready();
      },
      begin: (number) => {
        socket.write(request(number), "latin1");
      },
      take: (text) => {
        received += text;
        const length = answerLength(received);
        if (length === undefined || received.length < length) return;
        const answer = received;
        received = received.slice(length);
        ended(answer.startsWith("HTTP/1.1 200 ") ? undefined : answer);
      },
      close: () => {
        socket.end();
      },
    };
  };

const job = JSON.parse(process.argv[2] ?? "{}") as LoadJob;
process.stdout.write(JSON.stringify(await generate(job, calls(job))));
