/**
 * A remote mail server whose every answer a test writes: any reply at any phase, replies held back until the test lets
 * them go, connections cut at any point. It speaks on real sockets, waits for nothing but events, and keeps what it saw.
 */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";

import type { TestCertificate } from "./certificates.ts";

export type Phase =
  "CONNECT" | "EHLO" | "HELO" | "STARTTLS" | "AUTH" | "MAIL" | "RCPT" | "DATA" | "DOT" | "RSET" | "QUIT" | "NOOP" | "OTHER";

/** One step of a session, as the remote sees it. `DOT`: the message is in, its final dot too. */
export type Step = {
  readonly phase: Phase;
  /** The command line; the reverse path and recipients can be read off it. Empty for CONNECT and DOT. */
  readonly line: string;
  /** Counts connections from 1. */
  readonly connection: number;
  /** Messages accepted on this connection so far. */
  readonly accepted: number;
  readonly secure: boolean;
};

/**
 * A reply without its line end (several lines joined by CRLF), `hang` for none ever, `cut` to drop the connection
 * instead, `cutAfter` to reply first.
 */
export type Answer = string | { readonly hang: true } | { readonly cut: true } | { readonly cutAfter: string };

/** Undefined = the ordinary answer. A promise holds the answer back. */
export type Script = (step: Step) => Answer | undefined | Promise<Answer | undefined>;

export type ReceivedMail = {
  readonly from: string;
  readonly to: readonly string[];
  /** Dot-stuffing undone, without the final dot. */
  readonly content: Buffer;
  readonly mailLine: string;
  readonly connection: number;
  readonly secure: boolean;
};

export type ScriptedRemote = {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  readonly steps: readonly Step[];
  /** Connections opened so far, and open now. */
  readonly connections: () => number;
  readonly open: () => number;
  /** Resolves when the nth step of this phase has come, at once if it has. */
  readonly saw: (phase: Phase, times?: number) => Promise<void>;
  /** Resolves when no connection is open. */
  readonly idle: () => Promise<void>;
  /** Writes to every open connection, uncalled for. */
  readonly say: (text: string) => void;
  /** Ends every open connection. `reset`: not politely. */
  readonly hangUp: (reset?: boolean) => void;
  readonly close: () => Promise<void>;
};

export type RemoteOptions = {
  readonly script?: Script;
  /** EHLO keywords; STARTTLS is added when there is a certificate and TLS is not on yet. */
  readonly extensions?: readonly string[];
  readonly certificate?: TestCertificate;
  readonly implicitTls?: boolean;
  /** Stops reading after the reply to DATA, so that a large message cannot leave. */
  readonly deafToData?: boolean;
  readonly host?: string;
  readonly port?: number;
};

export const ALL_EXTENSIONS = ["PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 50000000", "ENHANCEDSTATUSCODES"] as const;

const PHASES: ReadonlySet<string> = new Set<Phase>(["EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "RSET", "QUIT", "NOOP"]);

const pathOf = (line: string): string => /<(.*)>/u.exec(line)?.[1] ?? "";

const unstuffed = (data: Buffer): Buffer => Buffer.from(data.toString("latin1").replace(/^\.\./gm, "."), "latin1");

/** Refuses with 451 whom it has not met before (RFC 6647). */
export const greylisting = (): Script => {
  const met = new Set<string>();
  let sender = "";
  return ({ phase, line }) => {
    if (phase === "MAIL") sender = pathOf(line);
    if (phase !== "RCPT") return undefined;
    const pair = `${sender} ${pathOf(line)}`;
    if (met.has(pair)) return undefined;
    met.add(pair);
    return "451 4.7.1 Greylisted, come back later";
  };
};

/** Takes `messages` on a connection and ends it with 421 at the next MAIL FROM. */
export const closingAfter =
  (messages: number): Script =>
  ({ phase, accepted }) =>
    phase === "MAIL" && accepted >= messages ? { cutAfter: "421 4.7.0 Too many messages on this connection" } : undefined;

/** Starts a remote on a loopback port. */
export const scriptedRemote = async (options: RemoteOptions = {}): Promise<ScriptedRemote> => {
  const { script = () => undefined, extensions = ALL_EXTENSIONS, certificate, host = "127.0.0.1" } = options;
  const steps: Step[] = [];
  const mails: ReceivedMail[] = [];
  const sockets = new Set<Socket>();
  const watchers = new Set<() => void>();
  let connections = 0;

  const notify = (): void => {
    for (const watcher of watchers) watcher();
  };
  const until = (ready: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!ready()) return;
        watchers.delete(check);
        resolve();
      };
      watchers.add(check);
      check();
    });

  const serve = (accepted: Socket): void => {
    const connection = (connections += 1);
    let socket = accepted;
    let secure = false;
    let buffer = Buffer.alloc(0);
    let inData = false;
    let busy = false;
    let messages = 0;
    let envelope = { from: "", to: [] as string[], mailLine: "" };

    const ordinary = (phase: Phase): string => {
      switch (phase) {
        case "CONNECT":
          return "220 remote.example ESMTP";
        case "EHLO": {
          const offered = [...extensions, ...(certificate !== undefined && !secure ? ["STARTTLS"] : [])];
          return ["remote.example", ...offered].map((word, at, all) => `250${at === all.length - 1 ? " " : "-"}${word}`).join("\r\n");
        }
        case "DATA":
          return envelope.to.length === 0 ? "503 5.5.1 No recipients" : "354 Go on";
        case "STARTTLS":
          return certificate === undefined ? "502 5.5.1 No TLS here" : "220 Go on";
        case "AUTH":
          return "235 2.7.0 Welcome";
        case "QUIT":
          return "221 2.0.0 Bye";
        case "OTHER":
          return "500 5.5.2 What?";
        default:
          return "250 2.0.0 Fine";
      }
    };

    const startTls = (): void => {
      if (certificate === undefined) return;
      socket.removeAllListeners("data");
      sockets.delete(socket);
      buffer = Buffer.alloc(0);
      socket = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(certificate) });
      secure = true;
      listen();
    };

    const effect = (phase: Phase, line: string, data: Buffer, reply: string): void => {
      const good = /^[23]/u.test(reply);
      if (phase === "MAIL" && good) envelope = { from: pathOf(line), to: [], mailLine: line };
      if (phase === "RCPT" && good) envelope.to.push(pathOf(line));
      if (phase === "RSET" || phase === "EHLO") envelope = { from: "", to: [], mailLine: "" };
      if (phase === "DATA") inData = reply.startsWith("354");
      if (phase === "DATA" && inData && options.deafToData === true) socket.pause();
      if (phase === "DOT" && good) {
        messages += 1;
        mails.push({ ...envelope, content: unstuffed(data), connection, secure });
      }
    };

    const take = async (phase: Phase, line: string, data: Buffer): Promise<void> => {
      const step = { phase, line, connection, accepted: messages, secure };
      const answering = script(step);
      steps.push(step);
      notify();
      const answer = (await answering) ?? ordinary(phase);
      // Nothing behind it is answered either.
      if (typeof answer === "object" && "hang" in answer) return new Promise<void>(() => undefined);
      if (typeof answer === "object" && "cut" in answer) {
        socket.destroy();
        return;
      }
      const reply = typeof answer === "string" ? answer : answer.cutAfter;
      effect(phase, line, data, reply);
      notify();
      if (typeof answer === "object" || phase === "QUIT") socket.end(`${reply}\r\n`);
      else socket.write(`${reply}\r\n`);
      if (phase === "STARTTLS" && reply.startsWith("220")) startTls();
    };

    const next = (): { readonly phase: Phase; readonly line: string; readonly data: Buffer } | undefined => {
      const terminator = inData ? "\r\n.\r\n" : "\r\n";
      const at = buffer.indexOf(terminator);
      if (at < 0) return undefined;
      const piece = buffer.subarray(0, at);
      buffer = buffer.subarray(at + terminator.length);
      if (inData) {
        inData = false;
        return { phase: "DOT", line: "", data: Buffer.concat([piece, Buffer.from("\r\n")]) };
      }
      const line = piece.toString("utf8");
      const verb = line.split(" ", 1)[0]?.toUpperCase() ?? "";
      return { phase: PHASES.has(verb) ? (verb as Phase) : "OTHER", line, data: piece };
    };

    /** Answers in order: a reply that is held back holds back those behind it. */
    const work = async (): Promise<void> => {
      if (busy) return;
      busy = true;
      for (let command = next(); command !== undefined; command = next()) {
        await take(command.phase, command.line, command.data);
      }
      busy = false;
    };

    const listen = (): void => {
      const current = socket;
      sockets.add(current);
      current.on("data", (chunk: Buffer) => {
        buffer = Buffer.concat([buffer, chunk]);
        void work();
      });
      current.on("error", () => undefined);
      current.on("close", () => {
        sockets.delete(current);
        notify();
      });
    };

    if (options.implicitTls === true && certificate !== undefined) {
      socket.on("error", () => undefined);
      startTls();
    } else listen();
    void take("CONNECT", "", buffer);
  };

  const server: Server = createServer({ noDelay: true }, serve);
  server.listen(options.port ?? 0, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");

  const hangUp = (reset = false): void => {
    for (const socket of sockets)
      if (reset && !(socket instanceof TLSSocket)) socket.resetAndDestroy();
      else socket.destroy();
  };
  return {
    port: address.port,
    mails,
    steps,
    connections: () => connections,
    open: () => sockets.size,
    saw: (phase, times = 1) => until(() => steps.filter((step) => step.phase === phase).length >= times),
    idle: () => until(() => sockets.size === 0),
    say: (text) => {
      for (const socket of sockets) socket.write(text);
    },
    hangUp,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      hangUp();
      await closed;
    },
  };
};
