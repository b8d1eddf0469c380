/** Submission over SMTP alone: everything is put on hold, so that nothing else happens than taking messages in for good. */
import { formatNumber, timesPeer, type Figure } from "../figures.ts";
import { freePort } from "../processes/ports.ts";
import { startPosthorn } from "../processes/posthorn.ts";
import { submit } from "../processes/submission.ts";
import { inTurns, serverOptions, type Bench, type Scenario } from "../scenario.ts";
import { median } from "../statistics.ts";

const LEVELS = [
  { connections: 1, count: 2_000, quick: 300, peerCount: 1_000, peerQuick: 200 },
  { connections: 16, count: 6_000, quick: 1_000, peerCount: 2_000, peerQuick: 300 },
  { connections: 64, count: 6_000, quick: 1_000, peerCount: 2_000, peerQuick: 300 },
] as const;
const WARM_UP = { connections: 16, count: 1_000 };
/** Posthorn must be at least as fast as Postfix. */
const FACTOR = 1;

const run = async (bench: Bench): Promise<readonly Figure[]> => {
  const { postfix, quick, cleanup } = bench;
  const port = await freePort();
  const server = { ...(await startPosthorn({ ...serverOptions(bench), hold: true, submission: { port } })), port };
  await submit(server, WARM_UP, cleanup);
  const figures: Figure[] = [];
  for (const level of LEVELS) {
    const { connections } = level;
    const count = quick ? level.quick : level.count;
    const peerCount = quick ? level.peerQuick : level.peerCount;
    bench.progress(`${connections} connections`);
    const { own, peer } = await inTurns(
      bench.rounds,
      async () => {
        const sent = await submit(server, { connections, count }, cleanup);
        await server.caughtUp();
        return sent;
      },
      postfix && (() => postfix.send({ connections, count: peerCount, hold: true })),
    );
    const rate = median(own.map((each) => each.rate));
    figures.push({
      name: `SMTP submission accepted, ${connections} connection${connections === 1 ? "" : "s"}`,
      value: rate,
      unit: "/s",
      target: timesPeer(rate, FACTOR, peer.length === 0 ? undefined : median(peer.map((each) => each.rate))),
      detail: `p50 ${formatNumber(median(own.map(({ p50Ms }) => p50Ms)))} ms, p99 ${formatNumber(median(own.map(({ p99Ms }) => p99Ms)))} ms`,
    });
  }
  await server.stop();
  return figures;
};

export const submission: Scenario = { name: "submission", about: "SMTP submission with everything on hold", run };
