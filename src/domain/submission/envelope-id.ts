/**
 * ENVIDs that this server makes (RFC 3461 section 4.4): they name the submission, so that its messages are found by their
 * own numbers and no index has to know every envelope, and go on with what nobody can guess.
 */

const FORM = /^([0-9a-z]{1,11})\.[\w-]{16,}$/u;

/** @param secret - letters, digits, `-` and `_` that nobody can guess, at least 16 of them. */
export const envelopeIdOf = (submissionId: number, secret: string): string => `${submissionId.toString(36)}.${secret}`;

/** The submission that an ENVID of this form names; undefined for one that a submitter chose. Whether it is that one's has to be checked. */
export const submissionOf = (envelopeId: string): number | undefined => {
  const id = Number.parseInt(FORM.exec(envelopeId)?.[1] ?? "", 36);
  return Number.isSafeInteger(id) ? id : undefined;
};
