/** How messages leave, as the configuration says it. */
import { getServers } from "node:dns";
import { isIPv6 } from "node:net";
import { join } from "node:path";

import { cachedResolver } from "../adapters/dns/cached-resolver.ts";
import { dnssec, type Dnssec } from "../adapters/dns/dnssec.ts";
import { type PolicyResolver, resolver } from "../adapters/dns/resolver.ts";
import { validatingResolver } from "../adapters/dns/validating-resolver.ts";
import type { Config } from "../adapters/config/schema.ts";
import { admits, type StsPolicy } from "../adapters/mta-sts/policy.ts";
import { policyFetcher } from "../adapters/mta-sts/fetch-policy.ts";
import { stsPolicies } from "../adapters/mta-sts/policies.ts";
import { policyFile } from "../adapters/mta-sts/policy-file.ts";
import { courier } from "../adapters/smtp-out/courier.ts";
import type { Policies, StsRules } from "../adapters/smtp-out/protection.ts";
import type { Transport } from "../adapters/smtp-out/transport.ts";
import { addressGuard } from "../adapters/webhook/address-guard.ts";
import { guardedConnector, type ResolvedAddress } from "../adapters/webhook/guarded-connector.ts";
import type { Clock } from "../domain/clock.ts";
import type { Courier } from "../domain/delivery.ts";
import type { ContentStore } from "../domain/event-log.ts";

/** Local mode's transport, which leads to this server's own SMTP port. */
export type LocalDelivery = { readonly transport: string; readonly host: string; readonly port: number };

const LOCAL_DEADLINE_MS = 60_000;
/** Connecting to where a domain's MTA-STS policy is. */
const POLICY_CONNECT_MS = 10_000;

/** Where to say what the way of mail can be protected by. */
type Log = { readonly info: (facts: object, text: string) => void; readonly warn: (facts: object, text: string) => void };

export type OutboundParts = {
  readonly contents: ContentStore;
  readonly clock: Clock;
  readonly local: LocalDelivery | undefined;
  readonly log: Log;
  readonly onError: (error: unknown) => void;
  /** Takes the place of the DNS and of HTTPS's port and authorities: for tests. */
  readonly network?: Network | undefined;
};

/** A small internet of a test's own. */
export type Network = {
  readonly trustedCertificates?: readonly string[];
  readonly policyFetch?: { readonly port: number; readonly guard: (address: string) => string | null };
};

/** Without the keys that are not set. */
const present = <T extends object>(value: T): { [Key in keyof T]: Exclude<T[Key], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as { [Key in keyof T]: Exclude<T[Key], undefined> };

const transportsOf = ({ transports }: Config, local: LocalDelivery | undefined): Readonly<Record<string, Transport>> => {
  const named = Object.entries(transports).map(([name, transport]): [string, Transport] => [name, present(transport) as Transport]);
  if (local !== undefined) named.push([local.transport, { kind: "local", host: local.host, port: local.port }]);
  return Object.fromEntries(named);
};

/** DNS that tells what DNSSEC proves, where the servers' word can be taken. */
const dnsFor = ({ dnsServers, dnssec: mode }: Config, clock: Clock): { readonly dns: PolicyResolver; readonly proof: Dnssec } => {
  const servers = dnsServers.length > 0 ? dnsServers : getServers();
  const proof = dnssec({ servers, mode, clock });
  const asked = proof.distrust === undefined ? validatingResolver({ servers }) : resolver({ servers: dnsServers });
  return { dns: cachedResolver(asked, clock), proof };
};

/** Says at the start whether DANE can be used, because mail is less protected where it cannot. */
const tellOfDane = (proof: Dnssec, log: Log): void => {
  void proof.validates().then(({ yes, reason }) => {
    if (yes) log.info({}, "the DNS servers validate: DANE is used");
    else log.warn({ reason }, "DANE cannot be used: TLSA records of mail exchangers are not looked for");
  });
};

const rulesOf = (policy: StsPolicy | undefined): StsRules | undefined =>
  policy === undefined || policy.mode === "none" ? undefined : { mode: policy.mode, admits: (host) => admits(policy, host) };

const policiesFor = (config: Config, parts: OutboundParts, dns: PolicyResolver, proof: Dnssec) => {
  const { clock, log, onError, network } = parts;
  const file = config.delivery.mtaSts ? policyFile(join(config.dataDir, "mta-sts.json"), onError) : undefined;
  const resolve = async (host: string): Promise<readonly ResolvedAddress[]> => {
    const found = await dns.addresses(host);
    if (found.status === "found") return found.records.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
    throw new Error(found.status === "failed" ? found.reason : `${host} has no address`);
  };
  const { connect } = guardedConnector({
    guard: network?.policyFetch?.guard ?? addressGuard([]),
    resolve,
    connectTimeoutMs: POLICY_CONNECT_MS,
    trustedCertificates: network?.trustedCertificates,
  });
  const sts =
    file &&
    stsPolicies({
      txt: dns.txt,
      fetch: policyFetcher({ connect, ...present({ port: network?.policyFetch?.port }) }),
      clock,
      known: file.known,
      onChange: () => {
        file.changed(() => sts?.kept() ?? []);
      },
      onTrouble: (domain, error) => {
        log.warn({ domain, err: error }, "an MTA-STS policy that is announced could not be had");
      },
    });
  const policies: Policies = {
    ...(proof.distrust === undefined ? { dane: { available: async () => (await proof.validates()).yes, tlsa: dns.tlsa } } : {}),
    ...(sts === undefined ? {} : { mtaSts: async (domain) => rulesOf(await sts.policyFor(domain)) }),
  };
  return { policies, close: async () => file?.close() };
};

export const courierFor = (config: Config, parts: OutboundParts): Courier => {
  const { contents, clock, local, log, onError, network } = parts;
  const { dns, proof } = dnsFor(config, clock);
  // In local mode nothing leaves this machine.
  if (local === undefined) tellOfDane(proof, log);
  const { policies, close } = policiesFor(config, parts, dns, proof);
  const built = courier({
    contents,
    clock,
    onError,
    resolver: dns,
    policies,
    transports: transportsOf(config, local),
    routes: config.routes,
    hostName: config.hostName,
    localAddresses: config.delivery.localAddresses,
    ...present({ trustedCertificates: network?.trustedCertificates }),
    // An address that does not answer on purpose should not keep its neighbours waiting for minutes.
    ...(local === undefined ? {} : { deadlineMs: LOCAL_DEADLINE_MS }),
  });
  return {
    ...built,
    close: async () => {
      await built.close();
      await close();
    },
  };
};
