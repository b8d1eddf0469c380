/** Many waiting messages: what they add to the memory of the server, and what a page of the queue costs. */
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { atMost, formatNumber, type Figure } from "../figures.ts";
import { send } from "../processes/load.ts";
import { startPosthorn, temporaryDirectory, type Posthorn } from "../processes/posthorn.ts";
import { serverOptions, type Bench, type Scenario } from "../scenario.ts";
import { median, percentile } from "../statistics.ts";

const MEGABYTE = 1_000_000;
const MOST_ADDED = 150;
/** A page of ten times as many may take this much longer, for the noise of the machine. */
const MOST_SLOWER = 1.5;
const PAGE = 100;
const STRIDE = 1_000;
const REPEATS = 40;
/** Time for memory that is not needed any more to be given back. */
const SETTLE_MS = 2_000;

type QueuePage = { readonly items: readonly unknown[]; readonly next: string | null };
type Pages = { readonly firstMs: number; readonly middleMs: number; readonly p99Ms: number; readonly octets: number };

const queuePage = async (server: Posthorn, query: string) => {
  const page = await server.admin(`/queue?${query}`);
  return { ...page, answer: page.answer as QueuePage };
};

/** Cursor of the page in the middle of so many messages. */
const middleCursor = async (server: Posthorn, waiting: number): Promise<string> => {
  let cursor = "";
  for (let seen = 0; seen < waiting / 2; seen += STRIDE) {
    const { answer } = await queuePage(server, `limit=${STRIDE}${cursor}`);
    if (answer.next === null) throw new Error(`the queue ended after ${seen + answer.items.length} of ${waiting} messages`);
    cursor = `&cursor=${answer.next}`;
  }
  return cursor;
};

const measurePages = async (server: Posthorn, waiting: number): Promise<Pages> => {
  const middle = await middleCursor(server, waiting);
  const first: number[] = [];
  const second: number[] = [];
  let octets = 0;
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const start = await queuePage(server, `limit=${PAGE}`);
    const further = await queuePage(server, `limit=${PAGE}${middle}`);
    if (start.answer.items.length !== PAGE || further.answer.items.length !== PAGE) throw new Error("a page of the queue is not full");
    first.push(start.durationMs);
    second.push(further.durationMs);
    octets = start.octets;
  }
  return { firstMs: median(first), middleMs: median(second), p99Ms: percentile([...first, ...second], 0.99), octets };
};

const memory = async (server: Posthorn): Promise<number> => {
  await server.caughtUp();
  await pause(SETTLE_MS);
  return (server.residentOctets() ?? Number.NaN) / MEGABYTE;
};

const label = (waiting: number): string => `${waiting / 1_000}k`;

const pageFigures = (waiting: number, pages: Pages): readonly Figure[] => [
  {
    name: `Page of 100, ${label(waiting)} waiting, first`,
    value: pages.firstMs,
    unit: "ms",
    detail: `p99 of both ${formatNumber(pages.p99Ms)} ms, ${formatNumber(pages.octets / 1_000)} kB`,
  },
  { name: `Page of 100, ${label(waiting)} waiting, in the middle`, value: pages.middleMs, unit: "ms" },
];

const growth = (name: string, less: number, more: number): Figure => {
  const value = more / less;
  return { name, value, unit: "×", target: atMost(value, MOST_SLOWER, "×") };
};

const run = async (bench: Bench): Promise<readonly Figure[]> => {
  const { quick, cleanup } = bench;
  const { path, remove } = temporaryDirectory(cleanup);
  const options = { ...serverOptions(bench), hold: true, dataDirectory: join(path, "data") };
  const server = await startPosthorn(options);
  await measureNothing(server);
  const empty = await memory(server);
  if (Number.isNaN(empty)) bench.caution("memory: this system has no /proc/<pid>/status to read it from");
  const figures: Figure[] = [{ name: "Memory (RSS), nothing waiting", value: empty, unit: "MB" }];
  const measured: Pages[] = [];
  let waiting = 0;
  for (const level of quick ? [10_000] : [10_000, 100_000]) {
    bench.progress(`${label(level)} waiting`);
    await send(server, { connections: 16, count: level - waiting }, cleanup);
    waiting = level;
    const resident = await memory(server);
    const pages = await measurePages(server, level);
    measured.push(pages);
    const added = resident - empty;
    const target = { target: atMost(added, MOST_ADDED, "MB") };
    figures.push({
      name: `Memory added by ${label(level)} waiting`,
      value: added,
      unit: "MB",
      ...target,
      detail: `RSS ${formatNumber(resident)} MB`,
    });
    figures.push(...pageFigures(level, pages));
  }
  await server.stop();
  const [small, large] = measured;
  if (small !== undefined && large !== undefined) {
    figures.push(growth("First page, 100k against 10k", small.firstMs, large.firstMs));
    figures.push(growth("Middle page, 100k against 10k", small.middleMs, large.middleMs));
  } else bench.caution("waiting: --quick leaves out the 100,000 messages, and with them the comparison of pages");
  figures.push(await afterRestart(options, waiting, empty));
  await remove();
  return figures;
};

/** Asks for some pages of an empty queue, so that what is loaded once is not charged to the messages. */
const measureNothing = async (server: Posthorn): Promise<void> => {
  for (let repeat = 0; repeat < REPEATS; repeat += 1) await server.admin("/queue");
};

/** What the messages cost a server that finds them at its start: without what taking them in has left behind. */
const afterRestart = async (options: Parameters<typeof startPosthorn>[0], waiting: number, empty: number): Promise<Figure> => {
  const startedAt = performance.now();
  const server = await startPosthorn(options);
  const startMs = performance.now() - startedAt;
  await measureNothing(server);
  const added = (await memory(server)) - empty;
  await server.stop();
  const detail = `healthy after ${formatNumber(startMs / 1_000)} s`;
  return {
    name: `Memory added by ${label(waiting)} waiting, after a restart`,
    value: added,
    unit: "MB",
    target: atMost(added, MOST_ADDED, "MB"),
    detail,
  };
};

export const waitingMessages: Scenario = { name: "waiting", about: "memory and pages with many waiting messages", run };
