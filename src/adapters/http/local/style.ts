/** The one stylesheet of local mode's pages: a page of text that happens to have tables, by day and by night. */
import { createHash } from "node:crypto";

export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #24221e; --soft: #6c675d; --line: #e4e0d6; --accent: #8a5800; --code: #f3f0e8;
  --good: #2c6e3f; --bad: #a3302a; --wait: #8a5800; --good-bg: #e5f1e6; --bad-bg: #f9e5e2; --wait-bg: #f8eed8; --plain-bg: #eceae4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #191816; --card: #211f1c; --ink: #e9e5db; --soft: #a39d90; --line: #37342e; --accent: #e3ae4e; --code: #26241f;
    --good: #8fd0a0; --bad: #f0998f; --wait: #e3ae4e; --good-bg: #1f3325; --bad-bg: #3f2320; --wait-bg: #3a2e16; --plain-bg: #302d28;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
a { color: var(--accent); text-underline-offset: 0.15em; text-decoration-thickness: 1px; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
code, pre, .mono { font-family: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.875em; }
.top { border-bottom: 1px solid var(--line); background: var(--card); }
.top > div { max-width: 72rem; margin: 0 auto; padding: 0.7rem 1.25rem; display: flex; flex-wrap: wrap; gap: 0.25rem 1.75rem; align-items: baseline; }
.brand { font-weight: 650; font-size: 1.1rem; letter-spacing: -0.01em; color: var(--ink); text-decoration: none; }
.brand span { color: var(--accent); }
nav { display: flex; flex-wrap: wrap; gap: 0.1rem 1.15rem; }
nav a { color: var(--soft); text-decoration: none; padding: 0.15rem 0; border-bottom: 2px solid transparent; }
nav a:hover { color: var(--ink); }
nav a[aria-current] { color: var(--ink); border-color: var(--accent); }
nav b { font-weight: 500; font-size: 0.8em; color: var(--soft); font-variant-numeric: tabular-nums; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; letter-spacing: -0.015em; font-weight: 650; margin: 0.4rem 0 0.3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; font-weight: 650; margin: 2.2rem 0 0.6rem; }
p { margin: 0.5rem 0; max-width: 46rem; }
.lead, .soft { color: var(--soft); }
pre { background: var(--code); border: 1px solid var(--line); border-radius: 8px; padding: 0.8rem 1rem; overflow-x: auto; line-height: 1.5; margin: 0.6rem 0; }
pre.wrap { white-space: pre-wrap; overflow-wrap: anywhere; }
:not(pre) > code { background: var(--code); border-radius: 4px; padding: 0.1em 0.35em; overflow-wrap: anywhere; }
.table { border: 1px solid var(--line); border-radius: 8px; background: var(--card); overflow-x: auto; margin: 0.8rem 0; }
table { border-collapse: collapse; width: 100%; font-size: 0.93rem; }
th { text-align: left; font-weight: 500; color: var(--soft); font-size: 0.82rem; white-space: nowrap; }
th, td { padding: 0.5rem 0.85rem; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:last-child > * { border-bottom: 0; }
tbody tr:hover { background: color-mix(in srgb, var(--code) 55%, transparent); }
td { overflow-wrap: anywhere; min-width: 7rem; }
.clip { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; }
td.number, th.number { text-align: right; white-space: nowrap; min-width: 0; font-variant-numeric: tabular-nums; }
td.keep { white-space: nowrap; }
td.wide { min-width: 13rem; }
td.tight { min-width: 0; }
td.tight, td.tight * { overflow-wrap: normal; white-space: nowrap; }
time { font-variant-numeric: tabular-nums; white-space: nowrap; }
td small { display: block; color: var(--soft); }
.badge { display: inline-block; border-radius: 1rem; padding: 0.05rem 0.6rem; font-size: 0.82rem; font-weight: 550; white-space: nowrap; background: var(--plain-bg); color: var(--soft); }
.badge.good { background: var(--good-bg); color: var(--good); }
.badge.bad { background: var(--bad-bg); color: var(--bad); }
.badge.wait { background: var(--wait-bg); color: var(--wait); }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 0.3rem 1.4rem; margin: 1rem 0; }
dl.facts dt { color: var(--soft); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
.callout { border: 1px solid var(--line); border-left: 3px solid var(--accent); border-radius: 6px; background: var(--card); padding: 0.7rem 1rem; margin: 1rem 0; }
.callout p { margin: 0.15rem 0; }
.empty { color: var(--soft); border: 1px dashed var(--line); border-radius: 8px; padding: 1.5rem; text-align: center; margin: 0.8rem 0; }
ol.timeline { list-style: none; margin: 0.8rem 0; padding: 0 0 0 1.1rem; border-left: 2px solid var(--line); }
ol.timeline > li { position: relative; margin: 0 0 0.85rem; }
ol.timeline > li::before { content: ""; position: absolute; left: -1.48rem; top: 0.5rem; width: 0.6rem; height: 0.6rem; border-radius: 50%; background: var(--paper); border: 2px solid var(--soft); }
ol.timeline .what { font-weight: 550; }
ol.timeline time { color: var(--soft); font-size: 0.87rem; margin-left: 0.5rem; }
ol.timeline div { overflow-wrap: anywhere; }
details > summary { cursor: pointer; color: var(--soft); font-size: 0.87rem; width: fit-content; }
iframe { width: 100%; height: 26rem; border: 1px solid var(--line); border-radius: 8px; background: #fff; color-scheme: light; }
.pages { display: flex; gap: 1.2rem; margin: 0.8rem 0; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 0 2.5rem; }
ul.plain { list-style: none; padding: 0; margin: 0.6rem 0; }
ul.plain li { margin: 0.25rem 0; }
footer { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem 2rem; color: var(--soft); font-size: 0.85rem; }
@media (max-width: 40rem) {
  body { font-size: 15px; }
  main { padding-top: 1rem; }
  dl.facts { grid-template-columns: 1fr; gap: 0; }
  dl.facts dd { margin-bottom: 0.55rem; }
  table.rows thead { display: none; }
  table.rows tr { display: block; padding: 0.55rem 0; border-bottom: 1px solid var(--line); }
  table.rows tr:last-child { border-bottom: 0; }
  table.rows td { display: flex; gap: 0.8rem; border: 0; padding: 0.12rem 0.85rem; text-align: left; min-width: 0; }
  table.rows td > * { min-width: 0; }
  table.rows td:has(> div:empty) { display: none; }
  td.wide { min-width: 0; }
  table.rows td::before { content: attr(data-label); color: var(--soft); flex: 0 0 6.5rem; font-size: 0.85rem; }
  table.rows td.number { text-align: left; }
  td.keep { white-space: normal; }
}
`;

/** Changes with the sheet: part of its address, so that browsers may keep it. */
export const STYLE_VERSION = createHash("sha256").update(STYLE).digest("base64url").slice(0, 10);
