/** Accepting alone: everything is put on hold, so that nothing else happens than taking messages in for good. */
import { formatNumber, timesPeer, type Figure } from "../figures.ts";
import { send, submit, type Load, type Sent } from "../processes/load.ts";
import { freePort } from "../processes/ports.ts";
import { startPosthorn } from "../processes/posthorn.ts";
import { inTurns, serverOptions, type Bench, type Scenario } from "../scenario.ts";
import { median } from "../statistics.ts";

const LEVELS = [
  { connections: 1, count: 2_000, quick: 300, peerCount: 1_000, peerQuick: 200 },
  { connections: 16, count: 6_000, quick: 1_000, peerCount: 2_000, peerQuick: 300 },
  { connections: 64, count: 6_000, quick: 1_000, peerCount: 2_000, peerQuick: 300 },
] as const;
const WARM_UP = { connections: 16, count: 1_000 };

type Level = (typeof LEVELS)[number];

/** A server that holds everything, and a way into it. */
type WayIn = {
  readonly name: string;
  /** By how much Postfix's pace must be beaten. */
  readonly factor: (connections: number) => number;
  readonly hand: (load: Pick<Load, "connections" | "count">) => Promise<Sent>;
  readonly caughtUp: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

const measure = async (bench: Bench, way: WayIn, level: Level): Promise<Figure> => {
  const { postfix, quick } = bench;
  const { connections } = level;
  const count = quick ? level.quick : level.count;
  const peerCount = quick ? level.peerQuick : level.peerCount;
  bench.progress(`${connections} connections`);
  const { own, peer } = await inTurns(
    bench.rounds,
    async () => {
      const sent = await way.hand({ connections, count });
      await way.caughtUp();
      return sent;
    },
    postfix && (() => postfix.send({ connections, count: peerCount, hold: true })),
  );
  const rate = median(own.map((each) => each.rate));
  return {
    name: `${way.name}, ${connections} connection${connections === 1 ? "" : "s"}`,
    value: rate,
    unit: "/s",
    target: timesPeer(rate, way.factor(connections), peer.length === 0 ? undefined : median(peer.map((each) => each.rate))),
    detail: `p50 ${formatNumber(median(own.map(({ p50Ms }) => p50Ms)))} ms, p99 ${formatNumber(median(own.map(({ p99Ms }) => p99Ms)))} ms`,
  };
};

const accepting =
  (open: (bench: Bench) => Promise<WayIn>): Scenario["run"] =>
  async (bench) => {
    const way = await open(bench);
    await way.hand(WARM_UP);
    const figures: Figure[] = [];
    for (const level of LEVELS) figures.push(await measure(bench, way, level));
    await way.stop();
    return figures;
  };

const bySend = async (bench: Bench): Promise<WayIn> => {
  const server = await startPosthorn({ ...serverOptions(bench), hold: true });
  return {
    name: "Send accepted on hold",
    factor: (connections) => (connections === 1 ? 1 : 3),
    hand: (load) => send(server, load, bench.cleanup),
    caughtUp: server.caughtUp,
    stop: server.stop,
  };
};

const bySubmission = async (bench: Bench): Promise<WayIn> => {
  const port = await freePort();
  const server = await startPosthorn({ ...serverOptions(bench), hold: true, submission: { port } });
  return {
    name: "SMTP submission accepted",
    factor: () => 1,
    hand: (load) => submit({ ...server, port }, load, bench.cleanup),
    caughtUp: server.caughtUp,
    stop: server.stop,
  };
};

export const sendOnHold: Scenario = { name: "hold", about: "accepting with everything on hold", run: accepting(bySend) };

export const submission: Scenario = { name: "submission", about: "SMTP submission with everything on hold", run: accepting(bySubmission) };
