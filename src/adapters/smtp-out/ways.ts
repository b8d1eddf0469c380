/** Finds the way that a delivery takes by a transport: where to, how protected, and as whom. */
import type { Delivery } from "../../domain/delivery.ts";
import type { Resolver } from "../dns/resolver.ts";
import type { Way } from "./carry.ts";
import { fixedHost, mailHosts } from "./mail-hosts.ts";
import type { Identity, Security } from "./open-session.ts";
import { type Policies, protector } from "./protection.ts";
import { type Scope, unlessStopped } from "./scope.ts";
import { type Appearance, DIRECT, type Direct, type Smarthost, type Transport } from "./transport.ts";
import { permanent, REQUIRETLS_CODE, temporary, type Trouble } from "./trouble.ts";

export type WayOptions = {
  readonly resolver: Resolver;
  readonly policies?: Policies;
  /** By name. `direct` is there without being named. */
  readonly transports: Readonly<Record<string, Transport>>;
  /** This server's name: in EHLO, and to recognise itself among mail exchangers. */
  readonly hostName: string;
  /** Addresses of this machine to dial from, for transports that have none of their own. */
  readonly localAddresses?: readonly string[];
  /** Port of mail exchangers; another than 25 is for tests. */
  readonly directPort?: number;
  /** Chooses among equal mail exchangers: 0 to below 1. */
  readonly random?: () => number;
};

/** `eachAlone`: each recipient in a transaction of its own. */
export type Plan = { readonly way: Way; readonly eachAlone: boolean; readonly requireTls: boolean };

const SMTP_PORT = 25;
const NONE: Security = { mode: "none", verified: false };

const always = (security: Security): Way["protect"] => {
  const answer = Promise.resolve({ security });
  return () => answer;
};
const UNPROTECTED = always(NONE);

const throughSmarthost = (
  { host, port, tls, verifyCertificate, auth }: Smarthost,
  requireTls: boolean,
  identity: Identity,
): Way | Trouble => {
  if (requireTls && tls === "none")
    return permanent(`the smarthost ${host} is used without TLS, which the sender asks for`, REQUIRETLS_CODE);
  return {
    domain: host,
    hosts: [fixedHost(host, host)],
    port,
    protect: always({ mode: tls, verified: verifyCertificate || requireTls }),
    identity,
    ...(auth === undefined ? {} : { login: auth }),
  };
};

export type FindWay = (delivery: Delivery, transport: string, scope: Scope) => Promise<Plan | Trouble>;

export const ways = (options: WayOptions): FindWay => {
  const { resolver, policies = {}, transports, hostName, localAddresses = [], directPort = SMTP_PORT, random = Math.random } = options;
  const identityOf = (own: Appearance): Identity => ({
    ehloName: own.ehloName ?? hostName,
    localAddresses: own.localAddresses ?? localAddresses,
  });

  const direct = async ({ recipientDomain, requireTls }: Delivery, transport: Direct, scope: Scope): Promise<Way | Trouble> => {
    const found = await unlessStopped(scope, mailHosts(recipientDomain, resolver, hostName, random));
    if (found === undefined) return temporary("the attempt was given up while the mail exchangers were looked up");
    if ("trouble" in found) return found.trouble;
    const port = transport.port ?? directPort;
    const protect = protector(policies, { domain: recipientDomain, port, requireTls, hostsAreSecure: found.secure });
    return { domain: recipientDomain, hosts: found.hosts, port, protect, identity: identityOf(transport) };
  };

  return async (delivery, name, scope) => {
    const transport = Object.hasOwn(transports, name) ? transports[name] : undefined;
    if (transport?.kind === "fail") {
      const { code, message } = transport;
      // x.7.0 (policy): that nothing leaves this way says nothing about the mailbox, so it must not be suppressed.
      return code >= 500 ? permanent(message, "5.7.0", code) : { ...temporary(message, "4.7.0"), code };
    }
    if (transport?.kind === "local") {
      const { host, port } = transport;
      // Nothing leaves this machine: TLS would protect nothing.
      const way = {
        domain: host,
        hosts: [fixedHost(host, host)],
        port,
        protect: UNPROTECTED,
        identity: { ehloName: hostName, localAddresses: [] },
      };
      return { way, eachAlone: true, requireTls: false };
    }
    if (transport === undefined && name !== DIRECT) return temporary(`there is no transport ${JSON.stringify(name)}`);
    const requireTls = delivery.requireTls === true;
    const way =
      transport?.kind === "smarthost"
        ? throughSmarthost(transport, requireTls, identityOf(transport))
        : await direct(delivery, transport ?? { kind: "direct" }, scope);
    return "permanent" in way ? way : { way, eachAlone: false, requireTls };
  };
};
