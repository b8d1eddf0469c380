/** Whether a message was sent by a program, so that nothing should answer it by itself (RFC 3834, RFC 2369, webapi: Automated). */
import type { Fields } from "./header-fields.ts";

const LIST_FIELDS = ["List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Precedence"] as const;

const isFilled = (value: string | undefined): boolean => value !== undefined && value !== "";

/**
 * True for the null reverse path, for mailing lists and bulk mail, for what says that it was sent automatically, and for
 * reports such as DSNs. `contentType`: of the whole message, lower case.
 */
export const isAutomated = (mailFrom: string, header: Pick<Fields, "first">, contentType: string): boolean => {
  if (mailFrom === "" || contentType === "multipart/report") return true;
  if (LIST_FIELDS.some((name) => isFilled(header.first(name)))) return true;
  const autoSubmitted = (header.first("Auto-Submitted") ?? "").trim();
  return autoSubmitted !== "" && autoSubmitted.toLowerCase() !== "no";
};
