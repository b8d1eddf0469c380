/** One hash over everything that the views say: equal for views built live and views rebuilt from the same log. */
import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { DatabaseSync } from "node:sqlite";
import { DAY_MS, MINUTE_MS, type Instant } from "../../domain/clock.ts";
import { ALL, tablesOf } from "../../projections/all.ts";
import type { Table } from "../../projections/projection.ts";
import { USAGE } from "../../projections/usage.ts";
import { quoted } from "./ddl.ts";
import { openForReading } from "./views-file.ts";

/** Rows hashed before other work gets a turn. */
const ROWS_AT_A_TIME = 2_000;

const condition = (table: Table, usageAfter: Instant): string => {
  if (table === USAGE) return `WHERE minute > ${Math.floor(usageAfter / MINUTE_MS)}`;
  const { outsideDigest } = table;
  return typeof outsideDigest === "object" ? `WHERE ${quoted(outsideDigest.column)} <> '${outsideDigest.value}'` : "";
};

const newestAt = (db: DatabaseSync): Instant => Number(db.prepare("SELECT newestAt FROM meta").get()?.["newestAt"] ?? 0);

/**
 * Hex SHA-256 over the rows of all tables in the order of their keys, as they are at the call. Left out: what only waits
 * for a stream's deletion, and usage up to `usageAfter` (a day before the newest event), since streams that are that old
 * may have left the log.
 */
export const viewsDigest = async (path: string, options: { readonly usageAfter?: Instant } = {}): Promise<string> => {
  const db = openForReading(path);
  try {
    db.exec("BEGIN");
    const usageAfter = options.usageAfter ?? newestAt(db) - DAY_MS;
    const hash = createHash("sha256");
    for (const table of tablesOf(ALL)) {
      if (table.outsideDigest === true) continue;
      const columns = Object.keys(table.columns).map(quoted).join(", ");
      const key = table.key.map(quoted).join(", ");
      const statement = db.prepare(`SELECT ${columns} FROM ${table.name} ${condition(table, usageAfter)} ORDER BY ${key}`);
      statement.setReturnArrays(true);
      hash.update(`${table.name}\n`);
      let rows = 0;
      for (const row of statement.iterate()) {
        hash.update(`${JSON.stringify(row)}\n`);
        rows += 1;
        if (rows % ROWS_AT_A_TIME === 0) await setImmediate();
      }
    }
    return hash.digest("hex");
  } finally {
    db.close();
  }
};
