import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, before, describe, it } from "node:test";

import { formatConfigErrors } from "../../../src/adapters/config/errors.ts";
import { expiredCertificate, validCertificate } from "../../support/certificates.ts";
import { type ConfigurationFolder, configurationFolder, errorsOf, MINIMAL } from "./configuration-folder.ts";

let folder: ConfigurationFolder;
before(() => {
  folder = configurationFolder();
  folder.write("a.crt", validCertificate.cert);
  folder.write("a.key", validCertificate.key);
  folder.write("b.key", expiredCertificate.key);
  folder.write("ec.key", validCertificate.key);
  folder.write(
    "short.key",
    generateKeyPairSync("rsa", { modulusLength: 512 }).privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  );
  folder.write("big.secret", "x".repeat(20_000));
});
after(() => {
  folder.remove();
});

const inAccount = (keys: string): string => MINIMAL.replace("password: app-secret", `password: app-secret, ${keys}`);
const inDomain = (keys: string): string => MINIMAL.replace('{ catchAllSeparator: "+" }', keys);
const listener = (entry: string): string => MINIMAL.replace("listeners:\n", `listeners:\n  other: ${entry}\n`);

/** What is wrong, the text, and the whole of what is said about it. */
const MISTAKES: readonly (readonly [string, string, string])[] = [
  ["a missing key", MINIMAL.replace("hostName: mail.example.org\n", ""), "posthorn.yaml: hostName: is missing"],
  ["an unknown key", `${MINIMAL}hostname: x\n`, "posthorn.yaml:10: hostname: is not a known key"],
  ["an unknown key deep inside", inAccount("adresses: []"), "posthorn.yaml:9: accounts.app.adresses: is not a known key"],
  [
    "an unknown kind of listener",
    listener("{ kind: imap }"),
    "posthorn.yaml:5: listeners.other.kind: must be one of http, smtp, submission",
  ],
  ["an unknown event store", `${MINIMAL}eventStore: { kind: kurrentdb }\n`, "posthorn.yaml:10: eventStore.kind: must be embedded"],
  [
    "a number for text",
    MINIMAL.replace("app-secret", "123"),
    "posthorn.yaml:9: accounts.app.password: expected text, found a number (put it in quotes)",
  ],
  ["text for a number", MINIMAL.replace("8080", "http"), "posthorn.yaml:5: listeners.web.port: expected a number, found text"],
  ["a port too large", MINIMAL.replace("8080", "65536"), "posthorn.yaml:5: listeners.web.port: must be at most 65535"],
  [
    "a host name for an address to listen at",
    MINIMAL.replace("127.0.0.1", "example.org"),
    'posthorn.yaml:5: listeners.web.address: "example.org" is not an IP address such as 127.0.0.1, 0.0.0.0 or ::',
  ],
  [
    "a base path with dots",
    MINIMAL.replace("8080", "8080, basePath: /a/../b"),
    'posthorn.yaml:5: listeners.web.basePath: must not hold "." or ".."',
  ],
  [
    "no duration",
    inAccount("keepRetiredMessagePeriod: 3 moons"),
    'posthorn.yaml:9: accounts.app.keepRetiredMessagePeriod: "3 moons" is not a duration such as 72h, 7.5m or 1d',
  ],
  [
    "no period to keep mail for",
    inAccount("keepReceivedPeriod: never"),
    'posthorn.yaml:9: accounts.app.keepReceivedPeriod: "never" is not a duration such as 72h or 7d, or "forever"',
  ],
  ["no size", `${MINIMAL}maxMessageSize: big\n`, 'posthorn.yaml:10: maxMessageSize: "big" is not a size such as 25MB'],
  ["a size out of bounds", `${MINIMAL}maxMessageSize: 5TB\n`, "posthorn.yaml:10: maxMessageSize: must be from 1KB to 1GB"],
  ["a negative limit", inAccount("messagesPerDay: -1"), "posthorn.yaml:9: accounts.app.messagesPerDay: must be at least 0"],
  [
    "no address",
    MINIMAL.replace("app@example.org", "app@b..example"),
    'posthorn.yaml:9: accounts.app.addresses[0]: "app@b..example" is not an address such as user@example.org or @example.org',
  ],
  [
    "an address of a foreign domain",
    MINIMAL.replace("app@example.org", "app@example.com"),
    "posthorn.yaml:9: accounts.app.addresses[0]: example.com is not among the domains",
  ],
  [
    "an address twice in one account",
    MINIMAL.replace("[app@example.org]", "[app@example.org, APP@example.org]"),
    "posthorn.yaml:9: accounts.app.addresses[1]: app@example.org is an address of the account app already",
  ],
  [
    "an address in two accounts",
    `${MINIMAL}  b: { addresses: ["app@example.org"], password: x }\n`,
    "posthorn.yaml:10: accounts.b.addresses[0]: app@example.org is an address of the account app already",
  ],
  [
    "a domain in capitals",
    inDomain("{}").replace("example.org: {}", "Example.org: {}"),
    'posthorn.yaml:7: domains["Example.org"]: write this domain as "example.org"',
  ],
  [
    "an account's name that no stream can have",
    MINIMAL.replace("app:", '"App/1":'),
    'posthorn.yaml:9: accounts["App/1"]: names have lower-case letters, digits, ".", "_" and "-"',
  ],
  [
    "no password",
    MINIMAL.replace(", password: app-secret", ""),
    "posthorn.yaml:9: accounts.app.password: is missing: set password, passwordFile or passwordHash, or loginDisabled: true",
  ],
  [
    "a password and a hash",
    inAccount(`passwordHash: "$scrypt$ln=15,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$ChPbD7iD2+6Q4PUF7nlzZ5EAYhKZR3zYB9ZAuSV2yRQ"`),
    "posthorn.yaml:9: accounts.app.password: stands beside passwordHash: keep one of them",
  ],
  [
    "a hash for a password",
    MINIMAL.replace("app-secret", "$scrypt$ln=15"),
    "posthorn.yaml:9: accounts.app.password: looks like a hash: the key for hashes is the same with Hash at its end",
  ],
  [
    "a hash of another kind",
    inAccount("passwordHash: $2b$12$xyz").replace("password: app-secret, ", ""),
    "posthorn.yaml:9: accounts.app.passwordHash: is not a hash made by `posthorn config hash-password`",
  ],
  [
    "a hash that asks for gigabytes",
    inAccount('passwordHash: "$scrypt$ln=31,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$ChPbD7iD2+6Q4PUF7nlzZ5EAYhKZR3zYB9ZAuSV2yRQ"').replace(
      "password: app-secret, ",
      "",
    ),
    "posthorn.yaml:9: accounts.app.passwordHash: is not a hash made by `posthorn config hash-password`",
  ],
  [
    "a secret file that is not there",
    MINIMAL.replace("password: app-secret", "passwordFile: none.secret"),
    'posthorn.yaml:9: accounts.app.passwordFile: the file "none.secret" does not exist',
  ],
  [
    "a hash file that is not there",
    MINIMAL.replace("password: app-secret", "passwordHashFile: none.secret"),
    'posthorn.yaml:9: accounts.app.passwordHashFile: the file "none.secret" does not exist',
  ],
  [
    "a secret file far too large",
    MINIMAL.replace("password: app-secret", "passwordFile: big.secret"),
    'posthorn.yaml:9: accounts.app.passwordFile: the file "big.secret" is larger than 16384 octets',
  ],
  [
    "a secret twice",
    inAccount("passwordFile: a.key"),
    "posthorn.yaml:9: accounts.app.passwordFile: stands beside password: keep one of them",
  ],
  [
    "a webhook with another scheme",
    inAccount('outgoingWebhook: { url: "ftp://x.example/" }'),
    "posthorn.yaml:9: accounts.app.outgoingWebhook.url: is not an http or https URL",
  ],
  [
    "an Authorization with a line break",
    inAccount('outgoingWebhook: { url: "http://x.example/", authorization: "a\\r\\nX: y" }'),
    "posthorn.yaml:9: accounts.app.outgoingWebhook.authorization: must be printable ASCII without line breaks, as a header value is",
  ],
  [
    "a login in the URL and an Authorization",
    inAccount('outgoingWebhook: { url: "http://u:p@x.example/", authorization: a }'),
    "posthorn.yaml:9: accounts.app.outgoingWebhook.url: has a login although authorization is set: keep one of them",
  ],
  [
    "an unknown webhook event",
    inAccount('outgoingWebhook: { url: "http://x.example/", events: [opened] }'),
    "posthorn.yaml:9: accounts.app.outgoingWebhook.events[0]: must be one of delivered, suppressed, delayed, failed, relayed, expanded, canceled, unrecognized, complained",
  ],
  [
    "a fromid login on a domain without separator",
    inAccount("fromIdLoginAddresses: [app@example.org]").replace('catchAllSeparator: "+"', ""),
    "posthorn.yaml:9: accounts.app.fromIdLoginAddresses[0]: the domain example.org has no catchAllSeparator, so a unique MAIL FROM cannot be made",
  ],
  [
    "a fromid login of somebody else",
    inAccount("fromIdLoginAddresses: [boss@example.org]"),
    "posthorn.yaml:9: accounts.app.fromIdLoginAddresses[0]: boss@example.org is not an address of this account",
  ],
  [
    "a separator that is part of names",
    inDomain('{ catchAllSeparator: "a" }'),
    'posthorn.yaml:7: domains["example.org"].catchAllSeparator: must be one to four of the characters that addresses allow, such as "+"',
  ],
  [
    "a route to nowhere",
    `${MINIMAL}routes:\n  - transport: relay\n`,
    'posthorn.yaml:11: routes[0].transport: there is no transport "relay"',
  ],
  [
    "a route and a hold rule for a stranger",
    `${MINIMAL}routes: [{ transport: direct, accounts: [bob] }]\nholdRules: [{ account: bob }]\n`,
    'posthorn.yaml:10: routes[0].accounts[0]: there is no account "bob"\nposthorn.yaml:11: holdRules[0].account: there is no account "bob"',
  ],
  [
    "a stranger as postmaster",
    `${MINIMAL}receiving: { postmaster: bob }\n`,
    'posthorn.yaml:10: receiving.postmaster: there is no account "bob"',
  ],
  [
    "a transport in direct's name",
    `${MINIMAL}transports: { direct: { kind: fail } }\n`,
    "posthorn.yaml:10: transports.direct: this name belongs to delivery to the recipient's own servers: choose another",
  ],
  [
    "no network",
    `${MINIMAL}webhooks: { allowedNetworks: [10.0.0.0/33, 0x7f.1, "::1/128"] }\n`,
    'posthorn.yaml:10: webhooks.allowedNetworks[0]: "10.0.0.0/33" is not a network such as 10.0.0.0/8 or fd00::/8, or one IP address\nposthorn.yaml:10: webhooks.allowedNetworks[1]: "0x7f.1" is not a network such as 10.0.0.0/8 or fd00::/8, or one IP address',
  ],
  [
    "no DNS server",
    `${MINIMAL}dnsServers: [1.1.1.1, dns.example]\n`,
    'posthorn.yaml:10: dnsServers[1]: "dns.example" is not an IP address with an optional port, such as 127.0.0.1 or [::1]:5353',
  ],
  [
    "a port taken twice",
    listener("{ kind: smtp, address: 0.0.0.0, port: 8080 }"),
    "posthorn.yaml:6: listeners.web.port: port 8080 is taken by the listener other",
  ],
  [
    "a login that nobody could make",
    MINIMAL.replace(", allowInsecureLogin: true", ""),
    "posthorn.yaml:5: listeners.web: nobody could log in here: set tls, or allowInsecureLogin: true when a proxy in front does TLS",
  ],
  [
    "implicit TLS without a certificate",
    listener("{ kind: submission, address: ::1, port: 465, implicitTls: true }"),
    "posthorn.yaml:5: listeners.other.implicitTls: needs tls with certFile and keyFile",
  ],
  [
    "certificate files that are not there",
    listener("{ kind: smtp, address: ::1, port: 25, tls: { certFile: /none.crt, keyFile: /none.key } }"),
    'posthorn.yaml:5: listeners.other.tls.certFile: the file "/none.crt" does not exist\nposthorn.yaml:5: listeners.other.tls.keyFile: the file "/none.key" does not exist',
  ],
  [
    "a certificate with another's key",
    listener("{ kind: smtp, address: ::1, port: 25, tls: { certFile: a.crt, keyFile: b.key } }"),
    "posthorn.yaml:5: listeners.other.tls: the certificate and key cannot be used: they do not belong together",
  ],
  [
    "a certificate that is none",
    listener("{ kind: smtp, address: ::1, port: 25, tls: { certFile: big.secret, keyFile: a.key } }"),
    "posthorn.yaml:5: listeners.other.tls: the certificate and key cannot be used: not PEM, or damaged",
  ],
  [
    "a DKIM key too short",
    inDomain("{ dkim: [{ selector: a, keyFile: short.key }] }"),
    'posthorn.yaml:7: domains["example.org"].dkim[0].keyFile: the RSA key is shorter than 1024 bits',
  ],
  ["a DKIM selector twice", inDomain("{ dkim: [{ selector: a, keyFile: b.key }, { selector: A, keyFile: b.key }] }"), ""],
  [
    "no administrator's password",
    MINIMAL.replace("adminPassword: admin-secret\n", ""),
    "posthorn.yaml: adminPassword: is missing: the listener web serves admin; set adminPassword, adminPasswordFile or adminPasswordHash, or take admin from its services",
  ],
  [
    "an account that is no map",
    MINIMAL.replace(/app: .*/u, "app: nobody"),
    "posthorn.yaml:9: accounts.app: expected a map of keys, found text",
  ],
  [
    "accounts that are a list",
    MINIMAL.replace(/accounts:\n.*\n/u, "accounts: []\n"),
    "posthorn.yaml:8: accounts: expected a map of keys, found a list",
  ],
];

describe("a mistake in the configuration", () => {
  for (const [what, text, said] of MISTAKES) {
    it(`is explained: ${what}`, () => {
      const found = formatConfigErrors(errorsOf(folder.load(text))).replaceAll(`${folder.directory}/`, "");
      if (said === "") assert.match(found, /selector A stands here a second time/u);
      else assert.equal(found, said);
    });
  }

  it("does not hide the others, in other parts or in the same", () => {
    const text = `${MINIMAL}  b: { addresses: [app@example.org], password: x, messagesPerDay: many }
  c: { addresses: [app@example.org, c@example.com], password: x }
routes: [{ transport: none }]
nonsense: 1
`;
    assert.deepEqual(
      errorsOf(folder.load(text)).map(({ line, key }) => [line, key]),
      [
        [10, "accounts.b.messagesPerDay"],
        [13, "nonsense"],
        [11, "accounts.c.addresses[0]"],
        [11, "accounts.c.addresses[1]"],
        [12, "routes[0].transport"],
      ],
    );
  });

  it("never shows a secret", () => {
    const secrets = "s3cr3t-\u0001";
    const said = formatConfigErrors(
      errorsOf(
        folder.load(inAccount(`passwordHash: "${JSON.stringify(secrets).slice(1, -1)}", outgoingWebhook: { url: "ftp://u:s3cr3t@x/" }`)),
      ),
    );
    assert.notEqual(said, "");
    assert.doesNotMatch(said, /s3cr3t|app-secret|admin-secret/u);
  });

  it("is found in JSON with its line too", () => {
    const [error] = errorsOf(folder.load('{\n  "hostName": "a b",\n  "dataDir": "x",\n  "listeners": {}\n}', {}, "posthorn.json"));
    assert.deepEqual(error, { source: "posthorn.json", line: 2, key: "hostName", reason: '"a b" is not a domain name' });
  });
});
