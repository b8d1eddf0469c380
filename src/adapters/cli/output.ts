/** What commands print: tables for people, JSON for machines, and nothing that a terminal would obey. */

export type Column<Row> = {
  readonly title: string;
  readonly cell: (row: Row) => string | number;
  readonly align?: "right";
  /** Longer cells are cut. */
  readonly most?: number;
};

/** Text from elsewhere as one line: control characters and marks that turn the direction become a sign. */
export const plain = (text: string): string => text.replace(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, "\u{FFFD}");

const cut = (text: string, most: number): string => {
  const characters = Array.from(text);
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
};

const lengthOf = (text: string): number => Array.from(text).length;

/** Columns two spaces apart, with a line of titles. */
export const tableText = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string => {
  const cells = rows.map((row) => columns.map(({ cell, most = 200 }) => cut(plain(`${cell(row)}`), most)));
  const lines = [columns.map(({ title }) => title), ...cells];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => lengthOf(line[index] ?? ""))));
  const padded = (text: string, index: number): string => {
    const space = " ".repeat((widths[index] ?? 0) - lengthOf(text));
    return columns[index]?.align === "right" ? space + text : text + space;
  };
  return lines.map((line) => `${line.map(padded).join("  ").trimEnd()}\n`).join("");
};

/** Names and values, one a line; those without a value are left out. */
export const factsText = (facts: readonly (readonly [string, string | number | null | undefined])[]): string => {
  const shown = facts.filter(([, value]) => value !== null && value !== undefined && value !== "");
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${`${name}:`.padEnd(width + 1)} ${plain(`${value ?? ""}`)}\n`).join("");
};

/** `2026-06-01T12:00:00Z`: can be pasted into a filter. */
export const timeText = (at: number | null): string => (at === null ? "" : new Date(at).toISOString().replace(/\.\d{3}Z$/u, "Z"));

export const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
