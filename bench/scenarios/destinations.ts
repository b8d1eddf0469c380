/** Delivering to one, ten and a thousand domains, by way of DNS: what many destinations cost. */
import { atLeast, formatNumber, type Figure } from "../figures.ts";
import { startDns } from "../processes/sink-dns.ts";
import { send } from "../processes/load.ts";
import { startPosthorn, type Posthorn } from "../processes/posthorn.ts";
import { serverOptions, type Bench, type Scenario } from "../scenario.ts";
import { median } from "../statistics.ts";

const DOMAINS = [1, 10, 1_000] as const;
const CONNECTIONS = 16;
const COUNT = 6_000;
const QUICK_COUNT = 1_500;
/** Of the pace with one domain, what a thousand must reach. */
const SHARE = 0.7;
const WARM_UP = { connections: CONNECTIONS, count: 1_000 };

/** Delivered per second, from the first call to the last message's arrival. */
const measure = async ({ sink, cleanup }: Bench, server: Posthorn, domains: number, count: number): Promise<number> => {
  const before = sink.count();
  const { startedAt } = await send(server, { connections: CONNECTIONS, count, domains }, cleanup);
  const endedAt = await sink.reached(before + count);
  await server.caughtUp();
  return (count / (endedAt - startedAt)) * 1_000;
};

const run = async (bench: Bench): Promise<readonly Figure[]> => {
  const count = bench.quick ? QUICK_COUNT : COUNT;
  const dns = await startDns(bench.cleanup);
  const server = await startPosthorn({ ...serverOptions(bench), dnsPort: dns.port });
  await measure(bench, server, 1, WARM_UP.count);
  const rates = new Map<number, number[]>(DOMAINS.map((domains) => [domains, []]));
  for (let round = 0; round < bench.rounds; round += 1) {
    bench.progress(`round ${round + 1}`);
    for (const domains of DOMAINS) rates.get(domains)?.push(await measure(bench, server, domains, count));
  }
  await server.stop();
  const one = median(rates.get(1) ?? []);
  return DOMAINS.map((domains): Figure => {
    const value = median(rates.get(domains) ?? []);
    return {
      name: `Delivered to ${domains.toLocaleString("en")} domain${domains === 1 ? "" : "s"}`,
      value,
      unit: "/s",
      ...(domains === 1_000 ? { target: atLeast(value, Math.round(SHARE * one), "/s") } : {}),
      detail: `${count.toLocaleString("en")} messages by MX, ${formatNumber(value / one)} of the pace with one domain`,
    };
  });
};

export const destinations: Scenario = { name: "destinations", about: "delivering to one, ten and a thousand domains", run };
