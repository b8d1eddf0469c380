/** The certificate of local mode: made at first start, for this machine only, trusted by nobody. */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import forge from "node-forge";

export type CertificateFiles = { readonly certFile: string; readonly keyFile: string };

/** Long enough that nobody meets its end by surprise, short enough for browsers that bound it. */
const VALID_DAYS = 800;

/** Subject alternative names: DNS names are of type 2, addresses of type 7 (RFC 5280 section 4.2.1.6). */
const NAMES = [
  { type: 2, value: "localhost" },
  { type: 7, ip: "127.0.0.1" },
  { type: 7, ip: "::1" },
];

const NAME = [{ name: "commonName", value: "localhost" }];

const SERIAL_OCTETS = 16;

/**
 * A serial number of these octets, in hex. Positive, as RFC 5280 section 4.1.2.2 asks: the first bit is off. And the
 * second is on, because DER forbids octets that could be left out: a certificate with such a number cannot be read.
 */
export const serialNumber = (octets: Uint8Array): string => {
  const [first = 0, ...rest] = octets;
  return Buffer.from([(first & 0x3f) | 0x40, ...rest]).toString("hex");
};

/** Key and certificate, PEM. The library knows certificates; the key is node's, which makes one in less time. */
const make = (): { readonly key: string; readonly certificate: string } => {
  const { privateKey: key } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const privateKey = forge.pki.privateKeyFromPem(key);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(privateKey.n, privateKey.e);
  certificate.serialNumber = serialNumber(randomBytes(SERIAL_OCTETS));
  certificate.validity.notAfter.setDate(certificate.validity.notBefore.getDate() + VALID_DAYS);
  certificate.setSubject(NAME);
  certificate.setIssuer(NAME);
  certificate.setExtensions([
    { name: "basicConstraints", cA: false },
    { name: "keyUsage", digitalSignature: true, keyEncipherment: true },
    { name: "extKeyUsage", serverAuth: true },
    { name: "subjectAltName", altNames: NAMES },
  ]);
  certificate.sign(privateKey, forge.md.sha256.create());
  return { key, certificate: forge.pki.certificateToPem(certificate) };
};

/**
 * The certificate and key of `localhost` in a directory, PEM; made if one of them is missing. The key is readable by
 * this user only. Throws when the directory cannot be written.
 */
export const localhostCertificate = (directory: string): CertificateFiles => {
  const files = { certFile: join(directory, "localhost.crt"), keyFile: join(directory, "localhost.key") };
  if (existsSync(files.certFile) && existsSync(files.keyFile)) return files;
  const { key, certificate } = make();
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(files.keyFile, key, { mode: 0o600 });
  writeFileSync(files.certFile, certificate);
  return files;
};
