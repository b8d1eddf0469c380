/** Prints figures as a table that a person reads. */
import { formatNumber, type Figure } from "./figures.ts";

const HEADINGS = ["figure", "measured", "target", "ratio", "", "detail"] as const;
/** Numbers stand to the right, so that their digits are under each other. */
const RIGHT: ReadonlySet<number> = new Set([1, 3]);

const verdict = ({ target }: Figure): string => {
  if (target === undefined) return "";
  return target.isMet === undefined ? "not compared" : target.isMet ? "pass" : "FAIL";
};

const cells = (figure: Figure): readonly string[] => [
  figure.name,
  `${formatNumber(figure.value)} ${figure.unit}`,
  figure.target?.text ?? "",
  figure.target?.ratio === undefined ? "" : `${figure.target.ratio.toFixed(2)}×`,
  verdict(figure),
  figure.detail ?? "",
];

/** One line for each figure, under a line of headings. */
export const table = (figures: readonly Figure[]): string => {
  const rows = [HEADINGS, ...figures.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (RIGHT.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(HEADINGS), widths.map((width) => "─".repeat(width)).join("  "), ...rows.slice(1).map(line)].join("\n");
};
