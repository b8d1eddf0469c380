import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { addressGuard } from "../../../src/adapters/webhook/address-guard.ts";

const REFUSED: readonly (readonly [string, string])[] = [
  ["0.0.0.0", "the unspecified network"],
  ["0.1.2.3", "the unspecified network"],
  ["10.0.0.1", "a private network"],
  ["172.16.0.1", "a private network"],
  ["172.31.255.255", "a private network"],
  ["192.168.1.1", "a private network"],
  ["127.0.0.1", "the loopback network"],
  ["127.255.255.254", "the loopback network"],
  ["169.254.169.254", "a link-local network"],
  ["100.64.0.1", "a carrier-grade NAT network"],
  ["100.127.255.255", "a carrier-grade NAT network"],
  ["192.0.0.8", "a reserved network"],
  ["192.0.2.1", "a reserved network"],
  ["198.18.0.1", "a reserved network"],
  ["198.51.100.1", "a reserved network"],
  ["203.0.113.1", "a reserved network"],
  ["224.0.0.1", "a multicast network"],
  ["240.0.0.1", "a reserved network"],
  ["255.255.255.255", "a broadcast network"],
  ["::", "the unspecified network"],
  ["::1", "the loopback network"],
  ["::127.0.0.1", "a reserved network"],
  ["::8.8.8.8", "a reserved network"],
  ["::ffff:127.0.0.1", "the loopback network"],
  ["::ffff:7f00:1", "the loopback network"],
  ["::ffff:10.0.0.1", "a private network"],
  ["0:0:0:0:0:ffff:a9fe:a9fe", "a link-local network"],
  ["::ffff:0:127.0.0.1", "a reserved network"],
  ["64:ff9b::10.0.0.1", "a private network"],
  ["64:ff9b::7f00:1", "the loopback network"],
  ["64:ff9b:1::1", "a reserved network"],
  ["2002:7f00:1::1", "a reserved network"],
  ["2002:808:808::1", "a reserved network"],
  ["2001::1", "a reserved network"],
  ["2001:db8::1", "a reserved network"],
  ["2001:2::1", "a reserved network"],
  ["3fff::1", "a reserved network"],
  ["100::1", "a reserved network"],
  ["fc00::1", "a private network"],
  ["fdff:ffff::1", "a private network"],
  ["fe80::1", "a link-local network"],
  ["fe80::1%eth0", "a link-local network"],
  ["fec0::1", "a reserved network"],
  ["ff02::1", "a multicast network"],
  ["5f00::1", "a reserved network"],
  ["4000::1", "a reserved network"],
];

describe("an address that webhooks must not reach", () => {
  const guard = addressGuard([]);
  for (const [address, network] of REFUSED) {
    it(`is refused: ${address}`, () => {
      assert.equal(guard(address), `address ${address} is in ${network} and not allowed`);
    });
  }

  it("is refused when it is no address at all", () => {
    for (const text of ["", "example.org", "1.2.3.4.5", "[::1]"]) assert.match(guard(text) ?? "", /not allowed$/u);
  });
});

describe("a public address", () => {
  const guard = addressGuard([]);
  for (const address of ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "2a00::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]) {
    it(`may be called: ${address}`, () => {
      assert.equal(guard(address), null);
    });
  }
});

describe("an allowed network", () => {
  it("lets its own addresses pass and no others", () => {
    const guard = addressGuard(["10.1.0.0/16", "127.0.0.1", "fd00::/8"]);
    for (const address of ["10.1.255.1", "127.0.0.1", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "fd12::1", "1.1.1.1"])
      assert.equal(guard(address), null, address);
    for (const address of ["10.2.0.1", "127.0.0.2", "::1", "fc00::1", "::ffff:127.0.0.2"]) assert.notEqual(guard(address), null, address);
  });

  it("of IPv6 does not open IPv4 by mapping", () => {
    assert.notEqual(addressGuard(["fe80::/10"])("::ffff:127.0.0.1"), null);
  });

  it("that cannot be parsed is an error at start", () => {
    assert.throws(() => addressGuard(["10.0.0.0/99"]));
  });
});
