/** Accepting alone: everything is put on hold, so that nothing else happens than taking messages in for good. */
import { formatNumber, timesPeer, type Figure } from "../figures.ts";
import { send } from "../processes/load.ts";
import { startPosthorn } from "../processes/posthorn.ts";
import { inTurns, serverOptions, type Bench, type Scenario } from "../scenario.ts";
import { median } from "../statistics.ts";

const LEVELS = [
  { connections: 1, count: 2_000, quick: 300, peerCount: 1_000, peerQuick: 200, factor: 1 },
  { connections: 16, count: 6_000, quick: 1_000, peerCount: 2_000, peerQuick: 300, factor: 3 },
  { connections: 64, count: 6_000, quick: 1_000, peerCount: 2_000, peerQuick: 300, factor: 3 },
] as const;
const WARM_UP = { connections: 16, count: 1_000 };

const run = async (bench: Bench): Promise<readonly Figure[]> => {
  const { postfix, quick, cleanup } = bench;
  const server = await startPosthorn({ ...serverOptions(bench), hold: true });
  await send(server, WARM_UP, cleanup);
  const figures: Figure[] = [];
  for (const level of LEVELS) {
    const { connections, factor } = level;
    const count = quick ? level.quick : level.count;
    const peerCount = quick ? level.peerQuick : level.peerCount;
    bench.progress(`${connections} connections`);
    const { own, peer } = await inTurns(
      bench.rounds,
      async () => {
        const sent = await send(server, { connections, count }, cleanup);
        await server.caughtUp();
        return sent;
      },
      postfix && (() => postfix.send({ connections, count: peerCount, hold: true })),
    );
    const rate = median(own.map((each) => each.rate));
    figures.push({
      name: `Send accepted on hold, ${connections} connection${connections === 1 ? "" : "s"}`,
      value: rate,
      unit: "/s",
      target: timesPeer(rate, factor, peer.length === 0 ? undefined : median(peer.map((each) => each.rate))),
      detail: `p50 ${formatNumber(median(own.map(({ p50Ms }) => p50Ms)))} ms, p99 ${formatNumber(median(own.map(({ p99Ms }) => p99Ms)))} ms`,
    });
  }
  await server.stop();
  return figures;
};

export const sendOnHold: Scenario = { name: "hold", about: "accepting with everything on hold", run };
