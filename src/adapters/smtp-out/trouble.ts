/** Why a message could not be handed over, where no reply to the transaction says it. One place for the words. */
import { cleanText, parseReply, type Reply } from "./reply.ts";

export type Trouble = Reply & { readonly permanent: boolean };

/** Trouble that may pass. */
export const temporary = (text: string, enhancedCode = ""): Trouble => ({ code: 0, enhancedCode, text: cleanText(text), permanent: false });

/** Trouble that another attempt will meet again. Without a code: no remote server said so. */
export const permanent = (text: string, enhancedCode = "", code = 0): Trouble => ({
  code,
  enhancedCode,
  text: cleanText(text),
  permanent: true,
});

/** RFC 8689 section 5 names the code for both sides. */
export const REQUIRETLS_CODE = "5.7.30";

/** What a refusal in so many words is worth: permanent by its first digit; no reply at all, or nonsense, is temporary. */
export const fromReply = (raw: string): Trouble => {
  const reply = parseReply(raw);
  if (reply.code < 400) return temporary(`unexpected reply: ${raw}`);
  return { ...reply, permanent: reply.code >= 500 };
};

type LibraryError = { readonly response?: unknown; readonly message: string; readonly command?: unknown };

/** The reply within an error of the SMTP library; empty when it speaks of something else. */
export const responseOf = (error: LibraryError): string => (typeof error.response === "string" ? error.response : "");

/** What an error of the SMTP library means while a session is being set up. */
export const setUpTrouble = (error: LibraryError): Trouble => {
  const response = responseOf(error);
  if (response === "") return temporary(error.message);
  const command = typeof error.command === "string" ? error.command : "";
  // Refused STARTTLS or AUTH says something about the way there, not about the message: the mail waits until it is put right.
  if (/^(?:STARTTLS|AUTH)/u.test(command)) return temporary(`${command} failed: ${response}`);
  return fromReply(response);
};
