/** Mistakes in listeners that only show when entries are compared, or when their files are opened. */
import { createSecureContext } from "node:tls";

import type { KeyPath } from "./errors.ts";
import { fileProblem, readSmallFile } from "./named-files.ts";
import type { Config, ListenerConfig } from "./schema.ts";

export type Finding = { readonly path: KeyPath; readonly reason: string };

const MAX_PEM_OCTETS = 1_000_000;

/** The text of a PEM file, or what is wrong with it. */
export const readPem = (file: string, path: KeyPath): { readonly pem: string } | { readonly finding: Finding } => {
  try {
    return { pem: readSmallFile(file, MAX_PEM_OCTETS) };
  } catch (error) {
    return { finding: { path, reason: `the file ${JSON.stringify(file)} ${fileProblem(error)}` } };
  }
};

const tlsFindings = (listener: ListenerConfig, path: KeyPath): readonly Finding[] => {
  if (listener.tls === undefined) return [];
  const cert = readPem(listener.tls.certFile, [...path, "tls", "certFile"]);
  const key = readPem(listener.tls.keyFile, [...path, "tls", "keyFile"]);
  if ("finding" in cert || "finding" in key) return [cert, key].flatMap((part) => ("finding" in part ? [part.finding] : []));
  try {
    createSecureContext({ cert: cert.pem, key: key.pem });
    return [];
  } catch (error) {
    const reason = error instanceof Error ? error.message : "";
    return [
      {
        path: [...path, "tls"],
        reason: `the certificate and key cannot be used${/mismatch/iu.test(reason) ? ": they do not belong together" : ": not PEM, or damaged"}`,
      },
    ];
  }
};

const takesLogins = (listener: ListenerConfig): boolean =>
  listener.kind === "submission" ||
  (listener.kind === "http" && listener.services.some((service) => service === "webapi" || service === "admin"));

const loginFindings = (listener: ListenerConfig, path: KeyPath): readonly Finding[] => {
  if (listener.kind === "smtp" || listener.tls !== undefined) return [];
  if (listener.kind === "submission" && listener.implicitTls)
    return [{ path: [...path, "implicitTls"], reason: "needs tls with certFile and keyFile" }];
  // A proxy tells by X-Forwarded-Proto which requests came to it over TLS.
  const behindProxy = listener.kind === "http" && listener.trustProxy;
  if (!takesLogins(listener) || listener.allowInsecureLogin || behindProxy) return [];
  const reason = "nobody could log in here: set tls, or allowInsecureLogin: true when a proxy in front does TLS";
  return [{ path, reason }];
};

const WILDCARD: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

// "::" takes IPv4 as well, as Node listens by default.
const overlap = (a: string, b: string): boolean =>
  a === b || a === "::" || b === "::" || (WILDCARD.has(a) && !b.includes(":")) || (WILDCARD.has(b) && !a.includes(":"));

/** Ports in conflict, logins that nobody could make, certificates that cannot be used. */
export const checkListeners = (listeners: Config["listeners"]): readonly Finding[] => {
  const findings: Finding[] = [];
  const seen: (readonly [string, ListenerConfig])[] = [];
  for (const [name, listener] of Object.entries(listeners)) {
    const path = ["listeners", name];
    const rival =
      listener.port === 0 ? undefined : seen.find(([, other]) => other.port === listener.port && overlap(other.address, listener.address));
    if (rival !== undefined)
      findings.push({ path: [...path, "port"], reason: `port ${listener.port} is taken by the listener ${rival[0]}` });
    findings.push(...loginFindings(listener, path), ...tlsFindings(listener, path));
    seen.push([name, listener]);
  }
  return findings;
};
