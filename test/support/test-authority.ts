/** A certificate authority for tests, made when it is first asked for: certificates for any names, under one root. */
import { createHash, generateKeyPairSync, X509Certificate } from "node:crypto";
import forge from "node-forge";

import { serialNumber } from "../../src/adapters/certificate/self-signed.ts";
import type { TestCertificate } from "./certificates.ts";

export type Authority = {
  /** PEM of the root. */
  readonly root: string;
  /** A certificate for these names; `cert` is followed by the root, as a server sends them. */
  readonly issue: (names: readonly string[], validity?: { readonly from?: Date; readonly to?: Date }) => TestCertificate;
};

const keyPair = () => {
  const { privateKey: key } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const privateKey = forge.pki.privateKeyFromPem(key);
  return { pem: key, privateKey, publicKey: forge.pki.setRsaPublicKey(privateKey.n, privateKey.e) };
};

let serial = 1;

/** Makes an authority. Takes a moment: its key has to be found. */
export const testAuthority = (name = "Test Authority"): Authority => {
  const own = keyPair();
  const issuer = [{ name: "commonName", value: name }];
  const fresh = (subject: string, publicKey: forge.pki.PublicKey, from = new Date(2020, 0, 1), to = new Date(2120, 0, 1)) => {
    const certificate = forge.pki.createCertificate();
    certificate.publicKey = publicKey;
    certificate.serialNumber = serialNumber(Buffer.from([0, 0, 0, serial++]));
    certificate.validity.notBefore = from;
    certificate.validity.notAfter = to;
    certificate.setSubject([{ name: "commonName", value: subject }]);
    certificate.setIssuer(issuer);
    return certificate;
  };
  const sealed = (certificate: forge.pki.Certificate): string => {
    certificate.sign(own.privateKey, forge.md.sha256.create());
    return forge.pki.certificateToPem(certificate);
  };
  const top = fresh(name, own.publicKey);
  top.setExtensions([
    { name: "basicConstraints", cA: true, critical: true },
    { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    { name: "subjectKeyIdentifier" },
  ]);
  const root = sealed(top);

  return {
    root,
    issue: (names, { from, to } = {}) => {
      const { pem: key, publicKey } = keyPair();
      const certificate = fresh(names[0] ?? "nobody", publicKey, from, to);
      certificate.setExtensions([
        { name: "basicConstraints", cA: false },
        { name: "extKeyUsage", serverAuth: true },
        { name: "subjectAltName", altNames: names.map((value) => ({ type: 2, value })) },
      ]);
      return { cert: sealed(certificate) + root, key };
    },
  };
};

/** Data of a TLSA record for a certificate in PEM, the first in it (RFC 6698 section 2.1). */
export const tlsaOf = (usage: number, selector: number, matchingType: number, pem: string) => {
  const certificate = new X509Certificate(pem);
  const part = selector === 0 ? certificate.raw : certificate.publicKey.export({ type: "spki", format: "der" });
  const digest = ["", "sha256", "sha512"][matchingType] ?? "";
  return {
    type: "TLSA",
    usage,
    selector,
    matchingType,
    certificate: digest === "" ? Buffer.from(part) : createHash(digest).update(part).digest(),
  } as const;
};
