/** One SMTP session: opened elsewhere, used for one transaction after the other, closed here. */
import type SMTPConnection from "nodemailer/lib/smtp-connection";

import type { PolicyFacts, TlsFacts } from "../../domain/smtp-result.ts";
import { type Extension, watched } from "./connection.ts";
import type { Scope } from "./scope.ts";
import type { Said, Transcript } from "./transcript.ts";
import { type Mail, transact, type Transaction, type TransactionTimeouts } from "./transaction.ts";

/** The other side of a session or of an attempt at one; empty texts where nothing was reached. */
export type Remote = {
  readonly host: string;
  readonly address: string;
  readonly tls?: TlsFacts;
  /** Of direct delivery: which rules for TLS held. */
  readonly policy?: PolicyFacts;
};

export type Session = {
  /** Sessions of one key may stand in for each other. */
  readonly key: string;
  readonly remote: Remote;
  /** Whether the server offered the extension in its last EHLO reply. */
  readonly supports: (extension: Extension) => boolean;
  /** Whether it offered any extension that matters here. */
  readonly esmtp: boolean;
  readonly alive: () => boolean;
  /** Messages accepted so far. */
  readonly accepted: () => number;
  /** What was said in the last transaction, and before the first. */
  readonly said: () => Said;
  /** One transaction at a time. Never throws. */
  readonly send: (mail: Mail, scope: Scope) => Promise<Transaction>;
  /** RSET; whether the session can be used again. */
  readonly reset: () => Promise<boolean>;
  /** QUIT, with little patience for the answer. Resolves when the connection is closed. */
  readonly quit: () => Promise<void>;
};

export type SessionTimeouts = TransactionTimeouts & { readonly quitMs: number };

/**
 * The session on a connection whose EHLO (and login) went well. `peer` says where it leads, and whether somebody else than
 * the usual authorities vouches for its certificate.
 */
export const sessionOf = (
  library: SMTPConnection,
  key: string,
  peer: { readonly host: string; readonly address: string; readonly vouchedFor: boolean },
  timeouts: SessionTimeouts,
  transcript: Transcript,
): Session => {
  const connection = watched(library);
  const { tls, extensions } = connection;
  const { host, address, vouchedFor } = peer;
  let accepted = 0;
  const ended = new Promise<void>((resolve) => {
    library.once("end", resolve);
  });
  return {
    key,
    remote: { host, address, ...(tls === undefined ? {} : { tls: vouchedFor ? { ...tls, verified: true } : tls }) },
    supports: (extension) => extensions.has(extension),
    esmtp: extensions.size > 0,
    alive: () => !library.destroyed,
    accepted: () => accepted,
    said: transcript.said,
    send: async (mail, scope) => {
      transcript.begin();
      const transaction = await transact(connection, mail, timeouts, scope);
      if (transaction.end.kind === "accepted") accepted += 1;
      return transaction;
    },
    reset: () =>
      new Promise((resolve) => {
        transcript.begin();
        const done = (ready: boolean): void => {
          connection.onBreak(undefined);
          resolve(ready);
        };
        connection.onBreak(() => {
          done(false);
        });
        library.reset((error) => {
          done(!error);
        });
      }),
    quit: async () => {
      if (library.destroyed) return;
      const timer = setTimeout(() => {
        library.close();
      }, timeouts.quitMs);
      library.quit();
      await ended;
      clearTimeout(timer);
    },
  };
};
