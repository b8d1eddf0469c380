/** How messages leave, as the configuration says it. */
import { cachedResolver } from "../adapters/dns/cached-resolver.ts";
import { resolver } from "../adapters/dns/resolver.ts";
import type { Config } from "../adapters/config/schema.ts";
import { courier } from "../adapters/smtp-out/courier.ts";
import type { Transport } from "../adapters/smtp-out/transport.ts";
import type { Clock } from "../domain/clock.ts";
import type { Courier } from "../domain/delivery.ts";
import type { ContentStore } from "../domain/event-log.ts";

/** Local mode's transport, which leads to this server's own SMTP port. */
export type LocalDelivery = { readonly transport: string; readonly host: string; readonly port: number };

const LOCAL_DEADLINE_MS = 60_000;

const transportsOf = ({ transports }: Config, local: LocalDelivery | undefined): Readonly<Record<string, Transport>> => {
  const named = Object.entries(transports).map(([name, transport]): [string, Transport] => {
    if (transport.kind !== "smarthost") return [name, transport];
    const { auth, ...rest } = transport;
    return [name, { ...rest, ...(auth === undefined ? {} : { auth }) }];
  });
  if (local !== undefined) named.push([local.transport, { kind: "local", host: local.host, port: local.port }]);
  return Object.fromEntries(named);
};

export const courierFor = (
  config: Config,
  parts: {
    readonly contents: ContentStore;
    readonly clock: Clock;
    readonly local: LocalDelivery | undefined;
    readonly onError: (error: unknown) => void;
  },
): Courier => {
  const { contents, clock, local, onError } = parts;
  return courier({
    contents,
    clock,
    onError,
    resolver: cachedResolver(resolver({ servers: config.dnsServers }), clock),
    transports: transportsOf(config, local),
    routes: config.routes,
    hostName: config.hostName,
    // An address that does not answer on purpose should not keep its neighbours waiting for minutes.
    ...(local === undefined ? {} : { deadlineMs: LOCAL_DEADLINE_MS }),
  });
};
