/** What a message that came to the port of local mode says of itself: where it came from is not checked there. */
import { isAutomated } from "../adapters/mime/reader/automated.ts";
import { readHeader } from "../adapters/mime/reader/mail-header.ts";
import { describePart } from "../adapters/mime/reader/part-description.ts";
import { parseReport } from "../adapters/mime/report/parse-report.ts";
import type { Content } from "../domain/event-log.ts";
import type { Report } from "../domain/received/report.ts";

export const saidOfItself = async (
  mailFrom: string,
  content: Content,
): Promise<{ readonly automated: boolean; readonly report: Report | null }> => {
  // The fields that its arrival added come in a piece of their own.
  const header = readHeader(Buffer.concat(content.slice(0, 2)));
  const { contentType } = describePart(header, "text/plain");
  return {
    automated: isAutomated(mailFrom, header, contentType),
    report: contentType.startsWith("multipart/") ? await parseReport(content) : null,
  };
};
