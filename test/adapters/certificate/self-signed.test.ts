import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { createSecureContext } from "node:tls";
import { localhostCertificate, serialNumber } from "../../../src/adapters/certificate/self-signed.ts";

const directory = mkdtempSync(join(tmpdir(), "posthorn-certificate-"));
after(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe("the certificate of local mode", () => {
  it("is for this machine by all its names, and fits its key", () => {
    const { certFile, keyFile } = localhostCertificate(directory);
    const cert = readFileSync(certFile, "utf8");
    const parsed = new X509Certificate(cert);
    assert.equal(parsed.checkHost("localhost"), "localhost");
    for (const address of ["127.0.0.1", "::1"]) assert.equal(parsed.checkIP(address), address);
    assert.doesNotThrow(() => createSecureContext({ cert, key: readFileSync(keyFile, "utf8") }));
    assert.equal(statSync(keyFile).mode & 0o077, 0, "others may read the key");
  });

  it("is made once", () => {
    const { certFile } = localhostCertificate(directory);
    const first = readFileSync(certFile, "utf8");
    localhostCertificate(directory);
    assert.equal(readFileSync(certFile, "utf8"), first);
  });

  it("has a serial number that is positive and no octet too long, whatever chance gives", () => {
    for (const first of [0x00, 0x01, 0x3f, 0x7f, 0x80, 0xff]) {
      const serial = serialNumber(Uint8Array.of(first, 0x00, 0xff));
      assert.match(serial, /^[4-7][0-9a-f]00ff$/u);
    }
  });
});
