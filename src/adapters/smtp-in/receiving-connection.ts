/**
 * A connection that brings mail to stay here, from other servers or from the queue in local mode: the library's, with the
 * reader of MAIL and RCPT that all listeners share. The handlers are the library's as well; what they get is read, and
 * paths have lost their source routes.
 */
import type { Socket } from "node:net";

import type { SMTPServerAddress } from "smtp-server";
import type { SMTPConnectionOptions } from "smtp-server/lib/smtp-connection";

import { type PathCommand, pathCommand } from "./command-line.ts";
import { BAD_RECIPIENT, senderIn } from "./envelope-address.ts";
import type { Refusal } from "./refusal.ts";
import { arrivalRecipientRefusal, arrivalWishes } from "./parameters.ts";
import { StrictConnection, StrictServer } from "./strict-server.ts";

const NESTED: Refusal = { code: 503, enhancedCode: "5.5.1", text: "MAIL was said already" };
const NO_MAIL: Refusal = { code: 503, enhancedCode: "5.5.1", text: "MAIL comes first" };
const TOO_MANY: Refusal = { code: 452, enhancedCode: "4.5.3", text: "Too many recipients: send the rest in another message" };

/** As the handlers know it. */
const written = (address: string, { parameters }: PathCommand): SMTPServerAddress => ({
  address,
  args: parameters.size === 0 ? false : Object.fromEntries([...parameters].map(([keyword, value]) => [keyword, value ?? true])),
});

export class ReceivingConnection extends StrictConnection {
  /** Where in the envelope a recipient stands, by its address in lower case: one that is named again is the same. */
  readonly #places = new Map<string, number>();

  override _resetSession(): void {
    super._resetSession();
    this.#places.clear();
  }

  #refuse({ code, enhancedCode, text }: Refusal, callback: () => void): void {
    this.send(code, `${enhancedCode} ${text}`);
    callback();
  }

  /** Passes on a handler's answer if it is a refusal. */
  #isRefused(error: (Error & { responseCode?: number }) | null | undefined): boolean {
    if (error) this.send(error.responseCode ?? 550, error.message);
    return Boolean(error);
  }

  override handler_MAIL(command: Buffer, callback: () => void): void {
    const { envelope } = this.session;
    const mail = this.#mail(command);
    if ("code" in mail) {
      this.#refuse(mail, callback);
      return;
    }
    envelope.smtpUtf8 = mail.smtpUtf8;
    this._server.onMailFrom(mail.from, this.session, (error) => {
      if (!this.#isRefused(error)) {
        envelope.mailFrom = mail.from;
        this.send(250, "2.1.0 Ok");
      }
      callback();
    });
  }

  #mail(command: Buffer): { readonly from: SMTPServerAddress; readonly smtpUtf8: boolean } | Refusal {
    const parsed = pathCommand(command, "MAIL FROM");
    if ("code" in parsed) return parsed;
    if (this.session.envelope.mailFrom) return NESTED;
    const wishes = arrivalWishes(parsed, { maxMessageSize: this._server.options.size ?? Number.POSITIVE_INFINITY });
    if ("code" in wishes) return wishes;
    const sender = senderIn(parsed.path, wishes.smtpUtf8);
    return typeof sender === "string" ? { from: written(sender, parsed), smtpUtf8: wishes.smtpUtf8 } : sender;
  }

  override handler_RCPT(command: Buffer, callback: () => void): void {
    const to = this.#rcpt(command);
    if ("code" in to) {
      this.#refuse(to, callback);
      return;
    }
    const { rcptTo } = this.session.envelope;
    this._server.onRcptTo(to, this.session, (error) => {
      if (!this.#isRefused(error)) {
        const key = to.address.toLowerCase();
        const place = this.#places.get(key) ?? rcptTo.length;
        this.#places.set(key, place);
        rcptTo[place] = to;
        this.send(250, "2.1.5 Ok");
      }
      callback();
    });
  }

  #rcpt(command: Buffer): SMTPServerAddress | Refusal {
    const parsed = pathCommand(command, "RCPT TO");
    if ("code" in parsed) return parsed;
    if (parsed.path === "") return BAD_RECIPIENT;
    const { envelope } = this.session;
    if (!envelope.mailFrom) return NO_MAIL;
    const { maxRecipients = Number.POSITIVE_INFINITY } = this._server.options;
    if (envelope.rcptTo.length >= maxRecipients && !this.#places.has(parsed.path.toLowerCase())) return TOO_MANY;
    return arrivalRecipientRefusal(parsed) ?? written(parsed.path, parsed);
  }
}

/** A server with such connections. Takes the library's options. */
export class ReceivingServer extends StrictServer {
  protected override connectionFor(socket: Socket, options: SMTPConnectionOptions): StrictConnection {
    return new ReceivingConnection(this, socket, options);
  }
}
