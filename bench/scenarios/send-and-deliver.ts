/** Accepting and delivering at once, as in life: how fast Send is answered, and when the sink has the last message. */
import { formatNumber, timesPeer, type Figure } from "../figures.ts";
import { send, type Sent } from "../processes/load.ts";
import type { PeerSent, Postfix } from "../processes/postfix.ts";
import { startPosthorn, type Posthorn } from "../processes/posthorn.ts";
import { inTurns, serverOptions, type Bench, type Scenario } from "../scenario.ts";
import { median } from "../statistics.ts";

/**
 * Messages handed in at each number of connections, and by how much Postfix's pace must be beaten. One connection that waits
 * for each answer cannot have more delivered than it hands in.
 */
const LEVELS = [
  { connections: 1, count: 2_000, quick: 300, peerCount: 1_000, peerQuick: 200, acceptedFactor: 1, deliveredFactor: 1 },
  { connections: 16, count: 6_000, quick: 1_000, peerCount: 2_000, peerQuick: 300, acceptedFactor: 3, deliveredFactor: 3 },
  { connections: 64, count: 6_000, quick: 1_000, peerCount: 2_000, peerQuick: 300, acceptedFactor: 3, deliveredFactor: 3 },
] as const;
const WARM_UP = { connections: 16, count: 1_000 };

type Delivered<Result> = Result & { readonly deliveredRate: number };

/** Hands in `count` messages by `sending` and waits until the sink has them all. */
const delivered = async <Result extends { readonly startedAt: number }>(
  { sink }: Bench,
  count: number,
  sending: () => Promise<Result>,
): Promise<Delivered<Result>> => {
  const before = sink.count();
  const result = await sending();
  const endedAt = await sink.reached(before + count);
  return { ...result, deliveredRate: (count / (endedAt - result.startedAt)) * 1_000 };
};

const peerRun = (bench: Bench, postfix: Postfix, connections: number, count: number) => (): Promise<Delivered<PeerSent>> =>
  delivered(bench, count, () => postfix.send({ connections, count }));

const ownRun = (bench: Bench, server: Posthorn, connections: number, count: number) => (): Promise<Delivered<Sent>> =>
  delivered(bench, count, () => send(server, { connections, count }, bench.cleanup));

const peerMedian = (rates: readonly number[]): number | undefined => (rates.length === 0 ? undefined : median(rates));

const run = async (bench: Bench): Promise<readonly Figure[]> => {
  const { postfix, quick, cleanup } = bench;
  const server = await startPosthorn(serverOptions(bench));
  await delivered(bench, WARM_UP.count, () => send(server, WARM_UP, cleanup));
  if (postfix !== undefined) await peerRun(bench, postfix, 16, 100)();
  const accepted: Figure[] = [];
  const arrived: Figure[] = [];
  for (const level of LEVELS) {
    const { connections, acceptedFactor, deliveredFactor } = level;
    const count = quick ? level.quick : level.count;
    const peerCount = quick ? level.peerQuick : level.peerCount;
    bench.progress(`${connections} connections`);
    const { own, peer } = await inTurns(
      bench.rounds,
      ownRun(bench, server, connections, count),
      postfix && peerRun(bench, postfix, connections, peerCount),
    );
    const name = `${connections} connection${connections === 1 ? "" : "s"}`;
    const rate = median(own.map((each) => each.rate));
    const p50 = formatNumber(median(own.map(({ p50Ms }) => p50Ms)));
    const p99 = formatNumber(median(own.map(({ p99Ms }) => p99Ms)));
    accepted.push({
      name: `Send accepted while delivering, ${name}`,
      value: rate,
      unit: "/s",
      target: timesPeer(rate, acceptedFactor, peerMedian(peer.map((each) => each.rate))),
      detail: `p50 ${p50} ms, p99 ${p99} ms`,
    });
    const deliveredRate = median(own.map((each) => each.deliveredRate));
    arrived.push({
      name: `Delivered end to end, ${name}`,
      value: deliveredRate,
      unit: "/s",
      target: timesPeer(deliveredRate, deliveredFactor, peerMedian(peer.map((each) => each.deliveredRate))),
      detail: `${count.toLocaleString("en")} messages to ${bench.sink.name}`,
    });
  }
  await server.stop();
  return [...accepted, ...arrived];
};

export const sendAndDeliver: Scenario = { name: "deliver", about: "accepting while delivering, and end to end", run };
