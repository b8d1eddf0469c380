/**
 * A client's connection: the library's, with the reader of MAIL and RCPT that all listeners share, and an envelope that
 * knows the parameters of submission.
 */
import type { Socket } from "node:net";

import type { SMTPServerSession } from "smtp-server";
import type { SMTPConnectionOptions } from "smtp-server/lib/smtp-connection";

import type { Refusal } from "../refusal.ts";
import { NO_ROOM } from "../room.ts";
import { StrictConnection, StrictServer } from "../strict-server.ts";
import { addRecipient, type Envelope, type Login, openEnvelope } from "./envelope.ts";
import { MAX_AHEAD_MS } from "./parameters.ts";
import type { SubmissionDesk } from "./server.ts";

const NOT_LOGGED_IN: Refusal = { code: 530, enhancedCode: "5.7.0", text: "Authentication required" };
const NESTED: Refusal = { code: 503, enhancedCode: "5.5.1", text: "MAIL was said already" };
const NO_MAIL: Refusal = { code: 503, enhancedCode: "5.5.1", text: "MAIL comes first" };

/** Envelopes of transactions under way, by session. */
const ENVELOPES = new WeakMap<SMTPServerSession, Envelope>();

/** The envelope of the transaction whose content comes in. */
export const envelopeOf = (session: SMTPServerSession): Envelope | undefined => ENVELOPES.get(session);

/** RFC 3339 in whole seconds, as RFC 4865 section 3 announces the latest instant. */
const dateTime = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;

export class SubmissionConnection extends StrictConnection {
  readonly #desk: SubmissionDesk;
  #isGreeting = false;

  constructor(server: SubmissionServer, socket: Socket, options: SMTPConnectionOptions) {
    super(server, socket, options);
    this.#desk = server.desk;
  }

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    super.send(code, this.#isGreeting && Array.isArray(data) ? this.#extensions(data) : data, context);
    if (code >= 500) this.#desk.conduct.refused(this);
  }

  override handler_EHLO(command: Buffer, callback: () => void): void {
    this.#isGreeting = true;
    super.handler_EHLO(command, callback);
    this.#isGreeting = false;
  }

  /** What the library announces, and what it does not know. AUTH only where a password may be said (RFC 4954 section 4). */
  #extensions(announced: readonly string[]): string[] {
    const { clock, maxRecipients, allowInsecureLogin } = this.#desk;
    return [
      ...announced.filter((line) => this.secure || allowInsecureLogin || !line.startsWith("AUTH ")),
      `FUTURERELEASE ${MAX_AHEAD_MS / 1_000} ${dateTime(clock.now() + MAX_AHEAD_MS)}`,
      `LIMITS RCPTMAX=${maxRecipients}`,
    ];
  }

  override _resetSession(): void {
    super._resetSession();
    ENVELOPES.delete(this.session);
  }

  #answer(refusal: Refusal | undefined, accepted: string): void {
    if (refusal === undefined) this.send(250, accepted);
    else this.send(refusal.code, `${refusal.enhancedCode} ${refusal.text}`);
  }

  override handler_MAIL(command: Buffer, callback: () => void): void {
    this.#answer(this.#mail(command), "2.1.0 Ok");
    callback();
  }

  #mail(command: Buffer): Refusal | undefined {
    const user = this.session.user as Login | undefined;
    if (!user) return NOT_LOGGED_IN;
    if (this.session.envelope.mailFrom) return NESTED;
    const account = this.#desk.directory.account(user.account.name);
    if (account === undefined || account.loginDisabled) return NOT_LOGGED_IN;
    const envelope = openEnvelope(command, { ...user, account }, { ...this.#desk, now: this.#desk.clock.now(), secure: this.secure });
    if ("code" in envelope) return envelope;
    if (!this.#desk.room.fits(envelope.wishes.size)) return NO_ROOM;
    ENVELOPES.set(this.session, envelope);
    // For the library, which looks whether there is one.
    this.session.envelope.mailFrom = { address: envelope.mailFrom?.text ?? "", args: false };
    return undefined;
  }

  override handler_RCPT(command: Buffer, callback: () => void): void {
    this.#answer(this.#rcpt(command), "2.1.5 Ok");
    callback();
  }

  #rcpt(command: Buffer): Refusal | undefined {
    const envelope = ENVELOPES.get(this.session);
    if (envelope === undefined) return NO_MAIL;
    const refusal = addRecipient(envelope, command, { ...this.#desk, now: this.#desk.clock.now(), secure: this.secure });
    const { rcptTo } = this.session.envelope;
    if (refusal === undefined && rcptTo.length === 0) rcptTo.push({ address: "", args: false });
    return refusal;
  }
}

/** A server with such connections. */
export class SubmissionServer extends StrictServer {
  readonly desk: SubmissionDesk;

  constructor(options: ConstructorParameters<typeof StrictServer>[0], desk: SubmissionDesk) {
    super(options);
    this.desk = desk;
  }

  protected override connectionFor(socket: Socket, options: SMTPConnectionOptions): StrictConnection {
    return new SubmissionConnection(this, socket, options);
  }
}
