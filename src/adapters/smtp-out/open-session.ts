/** Opens SMTP sessions: dials, reads the greeting, says EHLO, puts TLS under it, logs in. */
import { connect, isIP, isIPv6, type Socket } from "node:net";
import { TLSSocket } from "node:tls";

import SMTPConnection from "nodemailer/lib/smtp-connection";

import { daneProblem, type DaneDemand } from "./dane-match.ts";
import type { Scope } from "./scope.ts";
import { type Said, type Transcript, transcriptOf } from "./transcript.ts";
import { type Session, sessionOf, type SessionTimeouts } from "./session.ts";
import { responseOf, setUpTrouble, temporary, type Trouble } from "./trouble.ts";

/** Where a session leads. */
export type Target = {
  /** Sessions of one key may stand in for each other: see {@link sessionKey}. */
  readonly key: string;
  /** Name that the certificate must be for, and that is reported. */
  readonly host: string;
  /** What to dial: an IP address, or a name that the system looks up. */
  readonly address: string;
  readonly port: number;
};

/**
 * `opportunistic`: TLS when it is offered and works. `starttls` and `implicit` insist. `verified`: the certificate must be
 * valid for the host's name. `dane`: the certificate must be one that these TLSA records allow, whatever authorities say.
 */
export type Security = {
  readonly mode: "none" | "opportunistic" | "starttls" | "implicit";
  readonly verified: boolean;
  readonly dane?: DaneDemand;
};

export type Login = { readonly user: string; readonly password: string };

/** As whom this server appears to others. */
export type Identity = {
  /** Name in EHLO (RFC 5321 section 4.1.1.1). */
  readonly ehloName: string;
  /** Addresses of this machine to dial from; one of the other side's family is drawn. Empty = the system chooses. */
  readonly localAddresses: readonly string[];
};

/** On what terms a session is opened. */
export type Terms = { readonly security: Security; readonly login?: Login; readonly identity: Identity };

/** `connectMs`: dialling one address. `greetingMs`: from there to the greeting, and again to the end of a TLS handshake. */
export type Timeouts = SessionTimeouts & { readonly connectMs: number; readonly greetingMs: number };

export type OpenOptions = {
  readonly timeouts: Timeouts;
  /** PEM certificates to trust in place of the well-known authorities. */
  readonly trustedCertificates?: readonly string[];
};

/** `tls`: where TLS is what failed, whether the server said that it will not (5xx) or something went wrong. */
export type OpenFailure = {
  readonly trouble: Trouble;
  readonly address: string;
  readonly tls?: "refused" | "broken";
  /** Absent when no connection was made. */
  readonly said?: Said;
};
export type Opened = { readonly session: Session } | { readonly failure: OpenFailure };

/** No reply that makes sense is longer; the library's own limit is a megabyte. */
const MAX_REPLY_OCTETS = 64 * 1_024;

/** Key of the sessions that would do for this host on these terms. */
export const sessionKey = (host: string, port: number, { security, login, identity }: Terms): string => {
  const { mode, verified, dane } = security;
  const own = `${identity.ehloName} ${identity.localAddresses.join(",")}`;
  return `${host} ${port} ${mode} ${verified ? "verified" : ""} ${dane?.key ?? ""} ${login?.user ?? ""} ${own}`;
};

type Source = { readonly localAddress?: string; readonly family?: 4 | 6 };

/** The address to dial from; undefined when none of ours is of the other side's family. */
const sourceFor = (target: string, own: readonly string[]): Source | undefined => {
  if (own.length === 0) return {};
  const family = isIP(target);
  const usable = family === 0 ? own.slice(0, 1) : own.filter((address) => isIP(address) === family);
  const localAddress = usable[Math.floor(Math.random() * usable.length)];
  return localAddress === undefined ? undefined : { localAddress, family: isIPv6(localAddress) ? 6 : 4 };
};

const dial = ({ address, port }: Target, own: readonly string[], connectMs: number, scope: Scope): Promise<Socket | Trouble> =>
  new Promise((resolve) => {
    const source = sourceFor(address, own);
    if (source === undefined) {
      resolve(temporary(`no local address is set that could reach ${address}`, "4.4.4"));
      return;
    }
    const socket = connect({ host: address, port, ...source });
    const done = (result: Socket | Trouble): void => {
      clearTimeout(timer);
      forget();
      if (result !== socket) socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => {
      done(temporary(`connecting to ${address} port ${port} took too long`));
    }, connectMs);
    const forget = scope.onStop(() => {
      done(temporary("the attempt was given up while connecting"));
    });
    socket.once("connect", () => {
      done(socket);
    });
    socket.on("error", (error: Error & { code?: string }) => {
      // Several addresses behind one name give an error without words of its own.
      done(
        temporary(error.message === "" ? `connecting to ${address} port ${port} failed: ${error.code ?? "unreachable"}` : error.message),
      );
    });
  });

/** Takes down what the library tells its log about commands and replies. */
const noting = ({ sent, came }: Transcript) => {
  const nothing = (): void => undefined;
  const debug = (entry: { readonly tnx?: unknown }, text: unknown): void => {
    if (typeof text !== "string") return;
    if (entry.tnx === "client") sent(text);
    else if (entry.tnx === "server") came(text);
  };
  return { trace: nothing, debug, info: nothing, warn: nothing, error: nothing, fatal: nothing };
};

const connectionOn = (socket: Socket, { host, port }: Target, terms: Terms, options: OpenOptions, noted: Transcript): SMTPConnection => {
  const { timeouts, trustedCertificates } = options;
  const { mode, verified } = terms.security;
  return new SMTPConnection({
    host,
    port,
    name: terms.identity.ehloName,
    connection: socket,
    secure: mode === "implicit",
    ignoreTLS: mode === "none",
    requireTLS: mode === "starttls",
    opportunisticTLS: mode === "opportunistic",
    tls: { rejectUnauthorized: verified, ...(trustedCertificates === undefined ? {} : { ca: [...trustedCertificates] }) },
    greetingTimeout: timeouts.greetingMs,
    connectionTimeout: 2 * timeouts.greetingMs,
    socketTimeout: timeouts.commandMs,
    // An attempt that was given up must not go on in the socket's buffer.
    socketCloseTimeout: 0,
    maxResponseSize: MAX_REPLY_OCTETS,
    logger: noting(noted),
    transactionLog: true,
  });
};

type LibraryError = Error & { readonly command?: string | undefined; readonly response?: unknown };

const failureOf = (error: LibraryError, connection: SMTPConnection, address: string): OpenFailure => {
  const trouble = setUpTrouble(error);
  if (error.command === "STARTTLS" && responseOf(error) !== "") {
    return { trouble, address, tls: responseOf(error).startsWith("5") ? "refused" : "broken" };
  }
  if (connection.upgrading === true || (connection.secure && responseOf(error) === "")) {
    return { trouble: temporary(`TLS failed: ${error.message}`), address, tls: "broken" };
  }
  return { trouble, address };
};

const logIn = (connection: SMTPConnection, { user, password }: Login): Promise<LibraryError | undefined> =>
  new Promise((resolve) => {
    connection.login({ user, pass: password }, (error) => {
      resolve(error ?? undefined);
    });
  });

/** Settles with the error that ended the set-up, or with undefined when the session is ready. */
const setUp = (connection: SMTPConnection, login: Login | undefined, scope: Scope): Promise<LibraryError | undefined> =>
  new Promise((resolve) => {
    const forget = scope.onStop(() => {
      done(new Error("the attempt was given up while the session was set up"));
    });
    const done = (error: LibraryError | undefined): void => {
      forget();
      connection.off("error", done);
      connection.off("end", closed);
      resolve(error);
    };
    const closed = (): void => {
      done(new Error("the connection was closed while the session was set up"));
    };
    connection.on("error", done);
    connection.on("end", closed);
    connection.connect((error) => {
      if (error || login === undefined) done(error ?? undefined);
      else void logIn(connection, login).then(done);
    });
  });

/** Why the other side's certificate is not one that its TLSA records allow; undefined when it is, or nobody asked. */
const unfit = (connection: SMTPConnection, { dane }: Security): OpenFailure["trouble"] | undefined => {
  if (dane === undefined) return undefined;
  const socket: unknown = connection._socket;
  const problem = socket instanceof TLSSocket ? daneProblem(socket, dane) : "there is no TLS";
  return problem === undefined ? undefined : temporary(`DANE: ${problem}`, "4.7.5");
};

/** Opens a session, or says why not. Never throws; leaves nothing open when it fails. */
export const openSession = async (target: Target, terms: Terms, options: OpenOptions, scope: Scope): Promise<Opened> => {
  const { security, login, identity } = terms;
  const socket = await dial(target, identity.localAddresses, options.timeouts.connectMs, scope);
  if ("permanent" in socket) return { failure: { trouble: socket, address: isIP(target.address) === 0 ? "" : target.address } };
  const address = socket.remoteAddress ?? target.address;
  const transcript = transcriptOf(login === undefined ? [] : [login.password]);
  const connection = connectionOn(socket, target, terms, options, transcript);
  const error = await setUp(connection, login, scope);
  const problem = error === undefined ? unfit(connection, security) : undefined;
  if (error !== undefined || problem !== undefined) {
    const failure: OpenFailure =
      problem === undefined ? failureOf(error ?? new Error(), connection, address) : { trouble: problem, address, tls: "broken" };
    connection.on("error", () => undefined);
    connection.close();
    return { failure: { ...failure, said: transcript.said() } };
  }
  const peer = { host: target.host, address, vouchedFor: security.dane?.authenticates === true };
  return { session: sessionOf(connection, target.key, peer, options.timeouts, transcript) };
};
