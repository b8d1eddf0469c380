/**
 * The parts of README.md that are computed from the code, so that the page cannot say something else than what runs:
 * the state charts and the retry tables.
 */
import { format } from "prettier";
import type { AnyStateMachine } from "xstate";
import { toDirectedGraph } from "xstate/graph";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../src/domain/clock.ts";
import { RETRY_DELAYS_MS } from "../src/domain/message/backoff.ts";
import { messageMachine } from "../src/domain/message/machine.ts";
import { receivedMachine } from "../src/domain/received/machine.ts";
import { CALL_RETRY_DELAYS_MS } from "../src/domain/webhook/backoff.ts";
import { webhookMachine } from "../src/domain/webhook/machine.ts";

/** Mermaid's name for the start and the end of a chart. */
const OUTSIDE = "[*]";

/** Guards are named by strings in our charts; anything else has no name to print. */
const guardLabel = (guard: unknown): string => (typeof guard === "string" ? ` [${guard}]` : "");

/**
 * A machine without nested states as a Mermaid state diagram. The initial state is the one before the first event, so it
 * is drawn as the start. Events with the same way share an arrow.
 */
export const stateDiagram = (machine: AnyStateMachine): string => {
  const states = toDirectedGraph(machine).children;
  const nested = states.find(({ children }) => children.length > 0);
  if (nested !== undefined) throw new Error(`the chart has a nested state, ${nested.id}: teach stateDiagram to draw it`);

  const initial = machine.root.initial.target[0]?.key;
  const place = (key: string): string => (key === initial ? OUTSIDE : key);
  const arrows = new Map<string, string[]>();
  for (const { source, target, label, transition } of states.flatMap(({ edges }) => edges)) {
    const way = `${place(source.key)} --> ${place(target.key)}`;
    arrows.set(way, [...(arrows.get(way) ?? []), `${label.text}${guardLabel(transition.guard)}`]);
  }
  const ends = states.filter(({ stateNode }) => stateNode.type === "final").map(({ stateNode }) => `${stateNode.key} --> ${OUTSIDE}`);
  const lines = [...[...arrows].map(([way, events]) => `${way}: ${events.join("<br/>")}`), ...ends];
  return ["```mermaid", "stateDiagram-v2", ...lines.map((line) => `  ${line}`), "```"].join("\n");
};

const UNITS: readonly (readonly [ms: number, name: string])[] = [
  [HOUR_MS, "h"],
  [MINUTE_MS, "min"],
  [SECOND_MS, "s"],
];

/** `7.5 * MINUTE_MS` as `7 min 30 s`; nothing as `0 s`. */
export const spelledDuration = (ms: number): string => {
  let rest = ms;
  const parts = UNITS.flatMap(([unit, name]) => {
    const count = Math.floor(rest / unit);
    rest -= count * unit;
    return count === 0 ? [] : [`${count} ${name}`];
  });
  return parts.length === 0 ? "0 s" : parts.join(" ");
};

/** When each attempt comes, if all before it failed at once. */
export const retryTable = (delaysMs: readonly number[]): string => {
  const rows = delaysMs.map((delayMs, index) => {
    const sinceFirstMs = delaysMs.slice(0, index + 1).reduce((sum, ms) => sum + ms, 0);
    return `| ${index + 2} | ${spelledDuration(delayMs)} | ${spelledDuration(sinceFirstMs)} |`;
  });
  return ["| attempt | after the one before | after the first |", "|--:|--:|--:|", "| 1 | at once | |", ...rows].join("\n");
};

/** Name of a section in the page's markers, and what belongs between them. */
export const sections: ReadonlyMap<string, string> = new Map([
  ["message-chart", stateDiagram(messageMachine)],
  ["message-backoff", retryTable(RETRY_DELAYS_MS)],
  ["webhook-chart", stateDiagram(webhookMachine)],
  ["webhook-backoff", retryTable(CALL_RETRY_DELAYS_MS)],
  ["received-chart", stateDiagram(receivedMachine)],
]);

/**
 * The page with every section between `<!-- generated:NAME -->` and `<!-- /generated:NAME -->` made anew, laid out as
 * `npm run format` would. Throws when a section is missing, stands twice or has no end, and for markers of unknown ones.
 */
export const withSections = async (page: string): Promise<string> => {
  const unknown = [...page.matchAll(/<!-- \/?generated:(\S+) -->/g)]
    .map(([, name]) => name)
    .find((name) => name === undefined || !sections.has(name));
  if (unknown !== undefined) throw new Error(`nobody generates the section ${unknown}`);
  let result = page;
  for (const [name, content] of sections) {
    const [before, middle, ...more] = result.split(`<!-- generated:${name} -->`);
    const [, after, ...rest] = middle?.split(`<!-- /generated:${name} -->`) ?? [];
    if (before === undefined || after === undefined || more.length > 0 || rest.length > 0) {
      throw new Error(`the page must have the markers of the section ${name}, once each`);
    }
    const text = await format(content, { parser: "markdown", printWidth: 140 });
    result = `${before}<!-- generated:${name} -->\n\n${text}\n<!-- /generated:${name} -->${after}`;
  }
  return result;
};
