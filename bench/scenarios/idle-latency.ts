/** How long an application waits for news on an idle server, one message at a time. Sink, receiver and clock are here. */
import { atMost, formatNumber, type Figure } from "../figures.ts";
import { startPosthorn } from "../processes/posthorn.ts";
import { listenSmtp } from "../processes/smtp-listener.ts";
import { listenWebhooks } from "../processes/webhook-listener.ts";
import { serverOptions, type Bench, type Scenario } from "../scenario.ts";
import { median } from "../statistics.ts";

const MOST_MS = 8;
const WARM_UP = 50;
/** A message is late when nothing has come of it by then. */
const LATE_MS = 10_000;

type Times = { readonly deliveredMs: number; readonly calledMs: number };

/** An instant that somebody waits for, again and again. */
const moment = () => {
  let next = Promise.withResolvers<number>();
  return {
    happened: (): void => {
      next.resolve(performance.now());
    },
    next: (): Promise<number> => (next = Promise.withResolvers<number>()).promise,
  };
};

const run = async (bench: Bench): Promise<readonly Figure[]> => {
  const { cleanup } = bench;
  const delivery = moment();
  const call = moment();
  const sink = await listenSmtp(delivery.happened);
  cleanup.add(sink.close);
  const receiver = await listenWebhooks(call.happened);
  cleanup.add(receiver.close);
  const server = await startPosthorn({ ...serverOptions(bench), smtpPort: sink.port, webhookPort: receiver.port });
  const authorization = `Basic ${Buffer.from(`${server.login}:${server.password}`).toString("base64")}`;

  const once = async (): Promise<Times> => {
    const arrivals = Promise.all([delivery.next(), call.next()]);
    const body = new URLSearchParams({
      request: JSON.stringify({ To: [{ Address: "user@sink.example" }], Subject: "news", Text: "x\n".repeat(512) }),
    });
    const startedAt = performance.now();
    const response = await fetch(`http://127.0.0.1:${server.port}/webapi/v0/Send`, { method: "POST", headers: { authorization }, body });
    const text = await response.text();
    if (!response.ok) throw new Error(`Send was refused: ${text}`);
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(new Error("nothing came of a message"));
    }, LATE_MS);
    const [deliveredAt, calledAt] = await Promise.race([arrivals, late.promise]);
    clearTimeout(timer);
    return { deliveredMs: deliveredAt - startedAt, calledMs: calledAt - startedAt };
  };

  for (let warm = 0; warm < WARM_UP; warm += 1) await once();
  const times: Times[] = [];
  for (let message = 0; message < 100; message += 1) times.push(await once());
  await server.stop();
  await Promise.all([sink.close(), receiver.close()]);
  const difference = median(times.map(({ deliveredMs, calledMs }) => calledMs - deliveredMs));
  const delivered = formatNumber(median(times.map(({ deliveredMs }) => deliveredMs)));
  const called = formatNumber(median(times.map(({ calledMs }) => calledMs)));
  return [
    {
      name: "Idle: webhook received after delivery, median",
      value: difference,
      unit: "ms",
      target: atMost(difference, MOST_MS, "ms"),
      detail: `Send to delivered ${delivered} ms, Send to webhook ${called} ms`,
    },
  ];
};

export const idleLatency: Scenario = { name: "latency", about: "news of a delivery on an idle server", run };
