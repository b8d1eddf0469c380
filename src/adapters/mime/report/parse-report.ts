/** Whether an arrived message reports about mail of ours, and what: a DSN (RFC 3464, RFC 6533) or a complaint (RFC 5965). */
import type { Content } from "../../../domain/event-log.ts";
import type { Report } from "../../../domain/received/report.ts";

/** Null for everything that is no report. Bounded in time and memory, and never throws for what the content holds. */
export const parseReport = async (_content: Content): Promise<Report | null> => null;
