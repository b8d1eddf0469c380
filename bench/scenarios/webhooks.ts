/** The whole way: Send, delivery, and the call that tells the application, until the receiver has the last one. */
import { timesPeer, type Figure } from "../figures.ts";
import { startCounting } from "../processes/counting.ts";
import { send } from "../processes/load.ts";
import { startPosthorn } from "../processes/posthorn.ts";
import { inTurns, serverOptions, type Bench, type Scenario } from "../scenario.ts";
import { median } from "../statistics.ts";

const CONNECTIONS = 16;
const FACTOR = 0.9;
const WARM_UP = 1_000;

const run = async (bench: Bench): Promise<readonly Figure[]> => {
  const { postfix, quick, cleanup, sink } = bench;
  const receiver = await startCounting("webhooks", cleanup);
  const server = await startPosthorn({ ...serverOptions(bench), webhookPort: receiver.port });
  const called = async (count: number): Promise<number> => {
    const before = receiver.count();
    const { startedAt } = await send(server, { connections: CONNECTIONS, count }, cleanup);
    const endedAt = await receiver.reached(before + count);
    return (count / (endedAt - startedAt)) * 1_000;
  };
  await called(WARM_UP);
  const peerCount = quick ? 300 : 2_000;
  const { own, peer } = await inTurns(
    bench.rounds,
    () => called(quick ? 1_000 : 6_000),
    postfix &&
      (async () => {
        const before = sink.count();
        const { rate } = await postfix.send({ connections: CONNECTIONS, count: peerCount });
        await sink.reached(before + peerCount);
        return rate;
      }),
  );
  await server.stop();
  await receiver.stop();
  const value = median(own);
  const target = timesPeer(value, FACTOR, peer.length === 0 ? undefined : median(peer));
  return [{ name: "Webhook calls, Send to last call, 16 connections", value, unit: "/s", target, detail: "each after its delivery" }];
};

export const webhooks: Scenario = { name: "webhooks", about: "Send, delivery and webhook call", run };
