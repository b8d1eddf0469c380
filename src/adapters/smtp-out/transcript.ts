/**
 * What was said on a connection, for the attempts that fail: without credentials and content, and bounded. A reply stands
 * behind the command that it answers, also where commands were sent ahead (PIPELINING).
 */
import { cleanText } from "./reply.ts";

/** The lines of one transaction, with those that set its session up. `recipient`: leaves out what was said about others. */
export type Said = (recipient?: string) => readonly string[];

export type Transcript = {
  /** Takes down a command line. */
  readonly sent: (line: string) => void;
  /** Takes down a reply, its lines separated by line feeds. */
  readonly came: (reply: string) => void;
  /** A transaction begins: what the last one said is forgotten, what set the session up is not. */
  readonly begin: () => void;
  /** What has been said about this transaction, also when the next one has begun since. */
  readonly said: () => Said;
};

/** `sent` is empty where nothing asked for the reply, as for the greeting. */
type Exchange = { readonly sent: string; came: string };

/** Bounds of a transcript: the beginning and, because that tells why it failed, more of the end. */
const HEAD = { lines: 16, octets: 2_000 } as const;
const TAIL = { lines: 32, octets: 5_000 } as const;
const LINE_LENGTH = 300;
const REPLY_LENGTH = 2_000;
const REPLY_LINES = 12;

const CONTENT = "(the message)";
const CREDENTIALS = "(credentials)";

const fits = (lines: readonly string[], { lines: most, octets }: { readonly lines: number; readonly octets: number }): number => {
  let left: number = octets;
  let count = 0;
  for (const line of lines.slice(0, most)) {
    left -= Buffer.byteLength(line);
    if (left < 0) break;
    count += 1;
  }
  return count;
};

/** The first and the last lines, with a word about what stands between them. */
const bounded = (lines: readonly string[]): readonly string[] => {
  const head = fits(lines, HEAD);
  const rest = lines.slice(head);
  const tail = fits(rest.toReversed(), TAIL);
  if (tail === rest.length) return lines;
  return [...lines.slice(0, head), `(${rest.length - tail} lines left out)`, ...rest.slice(rest.length - tail)];
};

const linesOf = ({ sent, came }: Exchange): readonly string[] => {
  const replies = came === "" ? [] : came.split("\n");
  return [
    ...(sent === "" ? [] : [`> ${cleanText(sent).slice(0, LINE_LENGTH)}`]),
    ...replies.slice(0, REPLY_LINES).map((line) => `< ${cleanText(line).slice(0, LINE_LENGTH)}`),
    ...(replies.length > REPLY_LINES ? [`< (${replies.length - REPLY_LINES} more lines)`] : []),
  ];
};

const isAboutAnother = ({ sent }: Exchange, recipient: string): boolean =>
  sent.startsWith("RCPT TO:<") && !sent.startsWith(`RCPT TO:<${recipient}>`);

/** An empty transcript of a connection whose greeting has yet to come. `secrets` are blanked wherever they turn up. */
export const transcriptOf = (secrets: readonly string[]): Transcript => {
  const hidden = secrets.flatMap((secret) => [secret, Buffer.from(secret).toString("base64")]).filter((secret) => secret.length > 2);
  const setUp: Exchange[] = [];
  let current = setUp;
  let unanswered: Exchange[] = [];
  let loggingIn = false;

  const add = (sent: string): void => {
    const exchange = { sent, came: "" };
    current.push(exchange);
    unanswered.push(exchange);
  };
  /** A server that repeats what it was told must not bring it in here. */
  const withoutSecrets = (text: string): string => hidden.reduce((shown, secret) => shown.replaceAll(secret, CREDENTIALS), text);

  add("");
  return {
    sent: (line) => {
      const login = /^AUTH \S+/iu.exec(line)?.[0];
      if (login !== undefined) loggingIn = true;
      add(login === undefined ? (loggingIn ? CREDENTIALS : line) : login === line ? line : `${login} ${CREDENTIALS}`);
    },
    came: (reply) => {
      let exchange = unanswered.shift();
      if (exchange === undefined) current.push((exchange = { sent: "", came: "" }));
      if (loggingIn && !reply.startsWith("334")) loggingIn = false;
      exchange.came = loggingIn ? "334 (challenge)" : withoutSecrets(reply.slice(0, REPLY_LENGTH));
      if (exchange.sent === "DATA" && reply.startsWith("354")) add(CONTENT);
    },
    begin: () => {
      current = [];
      unanswered = [];
    },
    said: () => {
      const exchanges = current === setUp ? [setUp] : [setUp, current];
      return (recipient) => {
        const told = exchanges.flat().filter((exchange) => recipient === undefined || !isAboutAnother(exchange, recipient));
        return bounded(told.flatMap(linesOf));
      };
    },
  };
};
