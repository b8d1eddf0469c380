/** Mistakes that only show when parts of a configuration are held against each other, or against the disk. */
import { createPrivateKey } from "node:crypto";

import type { KeyPath } from "./errors.ts";
import { checkListeners, type Finding, readPem } from "./listener-checks.ts";
import type { AccountConfig, Config, DomainConfig } from "./schema.ts";

/** Names that stand in the file, also of entries that are wrong in themselves: referring to those is no second mistake. */
export type Names = {
  readonly accounts: ReadonlySet<string>;
  readonly domains: ReadonlySet<string>;
  readonly transports: ReadonlySet<string>;
};

const domainOf = (address: string): string => address.slice(address.lastIndexOf("@") + 1);

const checkAddresses = (accounts: Config["accounts"], names: Names): readonly Finding[] => {
  const findings: Finding[] = [];
  const owners = new Map<string, string>();
  for (const [account, { addresses }] of Object.entries(accounts)) {
    addresses.forEach((address, index) => {
      const path: KeyPath = ["accounts", account, "addresses", index];
      const owner = owners.get(address);
      if (owner !== undefined) findings.push({ path, reason: `${address} is an address of the account ${owner} already` });
      else owners.set(address, account);
      const domain = domainOf(address);
      if (!names.domains.has(domain)) findings.push({ path, reason: `${domain} is not among the domains` });
    });
  }
  return findings;
};

/** Whether an address belongs to an account, tags after its domain's separator left aside. */
const owns = (account: AccountConfig, address: string, domain: DomainConfig | undefined): boolean => {
  const local = address.slice(0, address.lastIndexOf("@"));
  const cut = domain?.catchAllSeparator == null ? -1 : local.indexOf(domain.catchAllSeparator);
  const forms = [address, `@${domainOf(address)}`, ...(cut > 0 ? [`${local.slice(0, cut)}@${domainOf(address)}`] : [])];
  return forms.some((form) => account.addresses.includes(form));
};

const checkFromIdLogins = (accounts: Config["accounts"], domains: Config["domains"]): readonly Finding[] =>
  Object.entries(accounts).flatMap(([name, account]) =>
    account.fromIdLoginAddresses.flatMap((address, index): Finding[] => {
      const path: KeyPath = ["accounts", name, "fromIdLoginAddresses", index];
      const domain = Object.hasOwn(domains, domainOf(address)) ? domains[domainOf(address)] : undefined;
      if (!owns(account, address, domain)) return [{ path, reason: `${address} is not an address of this account` }];
      if (domain?.catchAllSeparator !== null) return [];
      return [{ path, reason: `the domain ${domainOf(address)} has no catchAllSeparator, so a unique MAIL FROM cannot be made` }];
    }),
  );

const dkimKeyFinding = (keyFile: string, path: KeyPath): readonly Finding[] => {
  const file = readPem(keyFile, path);
  if ("finding" in file) return [file.finding];
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(file.pem);
    // RFC 8301 section 3.2: shorter keys must not be used.
    if (asymmetricKeyType === "rsa" && (asymmetricKeyDetails?.modulusLength ?? 0) < 1_024)
      return [{ path, reason: "the RSA key is shorter than 1024 bits" }];
    if (asymmetricKeyType === "rsa" || asymmetricKeyType === "ed25519") return [];
  } catch {
    // Falls through to the sentence below: OpenSSL's own words help nobody here.
  }
  return [{ path, reason: `the file ${JSON.stringify(keyFile)} holds no RSA or Ed25519 private key in PEM` }];
};

const checkDomains = (domains: Config["domains"]): readonly Finding[] =>
  Object.entries(domains).flatMap(([name, { dkim }]) =>
    dkim.flatMap(({ selector, keyFile }, index): readonly Finding[] => {
      const path: KeyPath = ["domains", name, "dkim", index];
      const first = dkim.findIndex((other) => other.selector.toLowerCase() === selector.toLowerCase());
      const twice = first === index ? [] : [{ path: [...path, "selector"], reason: `the selector ${selector} stands here a second time` }];
      return [...twice, ...dkimKeyFinding(keyFile, [...path, "keyFile"])];
    }),
  );

const unknown = (what: string, name: string): string => `there is no ${what} ${JSON.stringify(name)}`;

const checkOutbound = ({ transports, routes, holdRules }: Partial<Config>, names: Names): readonly Finding[] => {
  const findings: Finding[] = [];
  if (transports?.["direct"] !== undefined && transports["direct"].kind !== "direct") {
    findings.push({
      path: ["transports", "direct"],
      reason: "this name belongs to delivery to the recipient's own servers: choose another",
    });
  }
  routes?.forEach((route, index) => {
    const path: KeyPath = ["routes", index];
    if (route.transport !== "direct" && !names.transports.has(route.transport)) {
      findings.push({ path: [...path, "transport"], reason: unknown("transport", route.transport) });
    }
    route.accounts.forEach((account, at) => {
      if (!names.accounts.has(account)) findings.push({ path: [...path, "accounts", at], reason: unknown("account", account) });
    });
  });
  holdRules?.forEach(({ account }, index) => {
    if (account !== null && !names.accounts.has(account)) {
      findings.push({ path: ["holdRules", index, "account"], reason: unknown("account", account) });
    }
  });
  return findings;
};

const checkReceiving = ({ receiving }: Partial<Config>, names: Names): readonly Finding[] => {
  const postmaster = receiving?.postmaster;
  if (postmaster === undefined || names.accounts.has(postmaster)) return [];
  return [{ path: ["receiving", "postmaster"], reason: unknown("account", postmaster) }];
};

const checkAdmin = (config: Partial<Config>, adminIsSet: boolean): readonly Finding[] => {
  const findings: Finding[] = [];
  if (config.adminPassword !== undefined && config.adminPasswordHash !== undefined) {
    findings.push({ path: ["adminPassword"], reason: "stands beside adminPasswordHash: keep one of them" });
  }
  const served = Object.entries(config.listeners ?? {}).find(
    ([, listener]) => listener.kind === "http" && listener.services.includes("admin"),
  );
  if (served !== undefined && !adminIsSet) {
    const reason = `is missing: the listener ${served[0]} serves admin; set adminPassword, adminPasswordFile or adminPasswordHash, or take admin from its services`;
    findings.push({ path: ["adminPassword"], reason });
  }
  return findings;
};

/** Everything found in the parts that are valid by themselves; parts that are not are left out of `config`. */
export const crossCheck = (config: Partial<Config>, names: Names, adminIsSet: boolean): readonly Finding[] => [
  ...checkAdmin(config, adminIsSet),
  ...checkListeners(config.listeners ?? {}),
  ...checkDomains(config.domains ?? {}),
  ...checkAddresses(config.accounts ?? {}, names),
  ...(config.domains === undefined ? [] : checkFromIdLogins(config.accounts ?? {}, config.domains)),
  ...checkOutbound(config, names),
  ...checkReceiving(config, names),
];
