/** One message handed in over SMTP with a login, by a stock client. */
import { Readable } from "node:stream";
import SMTPConnection from "nodemailer/lib/smtp-connection";

export type SubmissionJob = {
  readonly port: number;
  /** TLS from the first octet; whose certificate it is does not matter here. */
  readonly tls: boolean;
  readonly login: string;
  readonly password: string;
  readonly to: string;
  readonly message: Buffer;
};

const PIECE = 64 * 1_024;

function* pieces(message: Buffer): Generator<Buffer> {
  for (let at = 0; at < message.length; at += PIECE) yield message.subarray(at, at + PIECE);
}

/** Hands it in; resolves when it was accepted, else rejects with what the server said. */
export const handIn = ({ port, tls, login, password, to, message }: SubmissionJob): Promise<void> =>
  new Promise((resolve, reject) => {
    const client = new SMTPConnection({ host: "127.0.0.1", port, secure: tls, ignoreTLS: !tls, tls: { rejectUnauthorized: false } });
    const failed = (error: Error): void => {
      client.close();
      reject(error);
    };
    client.once("error", failed);
    client.connect(() => {
      client.login({ user: login, pass: password }, (loginError) => {
        if (loginError) {
          failed(loginError);
          return;
        }
        const content = Readable.from(pieces(message), { objectMode: false });
        client.send({ from: login, to: [to], size: message.length }, content, (error) => {
          if (error) {
            failed(error);
            return;
          }
          client.quit();
          resolve();
        });
      });
    });
  });
