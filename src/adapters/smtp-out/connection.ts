/**
 * The library's connection, with what it does not tell by itself: that it ended, always, and how much had left by then.
 * The one place that touches what the library keeps undeclared; its version is pinned by the lock file, and tests stand
 * on each of these.
 */
import { TLSSocket } from "node:tls";

import type SMTPConnection from "nodemailer/lib/smtp-connection";

import type { TlsFacts } from "../../domain/smtp-result.ts";

export type Extension = "8BITMIME" | "SMTPUTF8" | "REQUIRETLS" | "SIZE" | "PIPELINING" | "DSN";

type Internals = { readonly _supportedExtensions: readonly string[]; _sendCommand: (line: string, logged?: string) => void };

/** What runs when the connection ends under it, with the reason. */
export type BreakOff = (reason: string) => void;

export type Connection = {
  readonly library: SMTPConnection;
  readonly extensions: ReadonlySet<string>;
  readonly tls: TlsFacts | undefined;
  /** Octets written that have not left this process, also after the end of the connection. */
  readonly outstanding: () => number;
  /** How long the other side may be silent from now on. */
  readonly patience: (ms: number) => void;
  /** Sets what is to hear of the end, once; undefined = nobody. */
  readonly onBreak: (run: BreakOff | undefined) => void;
  /** Sets what passes every command line from now on; undefined = nothing. */
  readonly amend: (amend: Amend | undefined) => void;
};

const tlsFacts = (socket: unknown): TlsFacts | undefined =>
  socket instanceof TLSSocket
    ? { version: socket.getProtocol() ?? "unknown", cipher: socket.getCipher().standardName, verified: socket.authorized }
    : undefined;

/** Adds parameters to a command line, or leaves it as it is. */
export type Amend = (line: string) => string;

/** What the library does not say by itself is put into its commands as they leave. Nothing is changed before it is asked for. */
const amendable = (internals: Internals): ((amend: Amend | undefined) => void) => {
  let wrapped = false;
  let current: Amend | undefined;
  const wrap = (): void => {
    wrapped = true;
    const sendCommand = internals._sendCommand.bind(internals);
    internals._sendCommand = (line, logged) => {
      sendCommand(current?.(line) ?? line, logged);
    };
  };
  return (amend) => {
    current = amend;
    if (amend !== undefined && !wrapped) wrap();
  };
};

/** Watches a connection whose EHLO went well. */
export const watched = (library: SMTPConnection): Connection => {
  const internals = library as unknown as Internals;
  let lastError: Error | undefined;
  /** A socket forgets soon after its end what it had not sent. */
  let leftBehind: number | undefined;
  let breakOff: BreakOff | undefined;
  const written = (): number => (library._socket ? library._socket.writableLength : 0);

  library.on("error", (error: Error) => {
    lastError = error;
    leftBehind ??= written();
  });
  // The library may close a connection without calling back. When it does call back it does so right after this event.
  library.on("end", () => {
    leftBehind ??= written();
    const current = breakOff;
    breakOff = undefined;
    if (current !== undefined) setImmediate(current, lastError?.message ?? "the connection was closed");
  });

  return {
    library,
    extensions: new Set(internals._supportedExtensions),
    tls: tlsFacts(library._socket),
    outstanding: () => leftBehind ?? written(),
    patience: (ms) => {
      if (library._socket) library._socket.setTimeout(ms);
    },
    onBreak: (run) => {
      breakOff = run;
    },
    amend: amendable(internals),
  };
};
