/** Opens SMTP sessions: dials, reads the greeting, says EHLO, puts TLS under it, logs in. */
import { connect, isIP, type Socket } from "node:net";

import SMTPConnection from "nodemailer/lib/smtp-connection";

import type { Scope } from "./scope.ts";
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
 * valid for the host's name.
 */
export type Security = { readonly mode: "none" | "opportunistic" | "starttls" | "implicit"; readonly verified: boolean };

export type Login = { readonly user: string; readonly password: string };

/** `connectMs`: dialling one address. `greetingMs`: from there to the greeting, and again to the end of a TLS handshake. */
export type Timeouts = SessionTimeouts & { readonly connectMs: number; readonly greetingMs: number };

export type OpenOptions = {
  /** Name in EHLO (RFC 5321 section 4.1.1.1). */
  readonly ehloName: string;
  readonly timeouts: Timeouts;
  /** PEM certificates to trust in place of the well-known authorities. */
  readonly trustedCertificates?: readonly string[];
};

/** `tls`: where TLS is what failed, whether the server said that it will not (5xx) or something went wrong. */
export type OpenFailure = { readonly trouble: Trouble; readonly address: string; readonly tls?: "refused" | "broken" };
export type Opened = { readonly session: Session } | { readonly failure: OpenFailure };

/** No reply that makes sense is longer; the library's own limit is a megabyte. */
const MAX_REPLY_OCTETS = 64 * 1_024;

/** Key of the sessions that would do for this host on these terms. */
export const sessionKey = (host: string, port: number, { mode, verified }: Security, login: Login | undefined): string =>
  `${host} ${port} ${mode} ${verified ? "verified" : ""} ${login?.user ?? ""}`;

const dial = ({ address, port }: Target, connectMs: number, scope: Scope): Promise<Socket | Trouble> =>
  new Promise((resolve) => {
    const socket = connect({ host: address, port });
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

const connectionOn = (socket: Socket, { host, port }: Target, { mode, verified }: Security, options: OpenOptions): SMTPConnection => {
  const { timeouts, trustedCertificates } = options;
  return new SMTPConnection({
    host,
    port,
    name: options.ehloName,
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
    logger: false,
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

/** Opens a session, or says why not. Never throws; leaves nothing open when it fails. */
export const openSession = async (
  target: Target,
  security: Security,
  login: Login | undefined,
  options: OpenOptions,
  scope: Scope,
): Promise<Opened> => {
  const socket = await dial(target, options.timeouts.connectMs, scope);
  if ("permanent" in socket) return { failure: { trouble: socket, address: isIP(target.address) === 0 ? "" : target.address } };
  const address = socket.remoteAddress ?? target.address;
  const connection = connectionOn(socket, target, security, options);
  const error = await setUp(connection, login, scope);
  if (error !== undefined) {
    const failure = failureOf(error, connection, address);
    connection.on("error", () => undefined);
    connection.close();
    return { failure };
  }
  return { session: sessionOf(connection, target.key, { host: target.host, address }, options.timeouts) };
};
