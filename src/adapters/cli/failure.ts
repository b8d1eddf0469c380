/** Why a command ended without doing what it was asked to, and the exit code that says so to scripts. */

/** Exit codes of every command; 0 is success. */
export const EXIT = {
  /** The server refused, or what was asked for does not exist. */
  refused: 1,
  /** The command line itself makes no sense. */
  usage: 2,
  /** No server there, or none that is Posthorn. */
  unreachable: 3,
  unauthorized: 4,
} as const;

/** Ends a command; `message` is all that its user sees. */
export class CommandFailure extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
