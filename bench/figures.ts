/** Figures and what they are held against. */

/** `ratio` is measured / bound. Undefined where the other side was not measured: then nobody knows whether it is met. */
export type Target = { readonly text: string; readonly ratio: number | undefined; readonly isMet: boolean | undefined };

export type Figure = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target?: Target;
  /** More about it in a few words: spread, percentiles, circumstances. */
  readonly detail?: string;
};

/** Three digits that count, in plain decimals. */
export const formatNumber = (value: number): string => {
  if (!Number.isFinite(value)) return "?";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
};

/** Met from `bound` upwards. */
export const atLeast = (value: number, bound: number, unit: string): Target => ({
  text: `≥ ${bound.toLocaleString("en")} ${unit}`,
  ratio: value / bound,
  isMet: value >= bound,
});

/** Met up to `bound`. */
export const atMost = (value: number, bound: number, unit: string): Target => ({
  text: `≤ ${bound.toLocaleString("en")} ${unit}`,
  ratio: value / bound,
  isMet: value <= bound,
});

/** Met from `factor` times the peer's figure upwards. The ratio is to the peer's figure, so `factor` is what it must reach. */
export const timesPeer = (value: number, factor: number, peer: number | undefined): Target => ({
  text: `≥ ${factor} × Postfix${peer === undefined ? "" : ` (${formatNumber(peer)})`}`,
  ratio: peer === undefined ? undefined : value / peer,
  isMet: peer === undefined ? undefined : value >= factor * peer,
});
