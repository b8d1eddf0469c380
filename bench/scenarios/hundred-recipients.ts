/** One message to a hundred recipients: what a newsletter or an alarm is. */
import { formatNumber, timesPeer, type Figure } from "../figures.ts";
import { send } from "../processes/load.ts";
import { startPosthorn } from "../processes/posthorn.ts";
import { inTurns, serverOptions, type Bench, type Scenario } from "../scenario.ts";
import { median } from "../statistics.ts";

const LOAD = { connections: 16, recipients: 100 } as const;
const FACTOR = 4;
/** 20,000 messages: before that the figure is about the compiler. */
const WARM_UP = 200;
/** Both put several recipients into one transaction, each as it sees fit: they are done when nothing comes any more. */
const QUIET_MS = 750;

const run = async (bench: Bench): Promise<readonly Figure[]> => {
  const { postfix, quick, cleanup, sink } = bench;
  const server = await startPosthorn(serverOptions(bench));
  const own = async (count: number) => {
    const sent = await send(server, { ...LOAD, count }, cleanup);
    await sink.quiet(QUIET_MS);
    await server.caughtUp();
    return sent;
  };
  await own(quick ? 50 : WARM_UP);
  const results = await inTurns(
    bench.rounds,
    () => own(quick ? 80 : 400),
    postfix &&
      (async () => {
        const { rate } = await postfix.send({ ...LOAD, count: quick ? 48 : 160 });
        await sink.quiet(QUIET_MS);
        return rate;
      }),
  );
  await server.stop();
  const value = median(results.own.map(({ rate }) => rate));
  const p50 = formatNumber(median(results.own.map(({ p50Ms }) => p50Ms)));
  const target = timesPeer(value, FACTOR, results.peer.length === 0 ? undefined : median(results.peer));
  return [{ name: "Send to 100 recipients accepted, 16 connections", value, unit: "/s", target, detail: `p50 ${p50} ms` }];
};

export const hundredRecipients: Scenario = { name: "recipients", about: "messages to 100 recipients each", run };
