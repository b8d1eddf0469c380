import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { formatConfigErrors } from "../../../src/adapters/config/errors.ts";
import { exampleConfig } from "../../../src/adapters/config/example.ts";
import { loadConfig } from "../../../src/adapters/config/load.ts";
import { validCertificate } from "../../support/certificates.ts";
import { type ConfigurationFolder, configurationFolder, errorsOf, MINIMAL, valid } from "./configuration-folder.ts";

let folder: ConfigurationFolder;
before(() => (folder = configurationFolder()));
after(() => {
  folder.remove();
});

const HOUR_MS = 3_600_000;

describe("a configuration file", () => {
  it("takes defaults where it says nothing", () => {
    const config = valid(folder.load(MINIMAL));
    const app = config.accounts["app"];
    assert.equal(app?.messagesPerDay, 1_000);
    assert.equal(app.firstTimeRecipientsPerDay, 200);
    assert.equal(app.storageQuota, null);
    assert.equal(app.keepRetiredMessagePeriod, 72 * HOUR_MS);
    assert.equal(app.keepReceivedPeriod, null);
    assert.equal(config.maxMessageSize, 25_000_000);
    assert.deepEqual(config.eventStore, { kind: "embedded" });
    assert.deepEqual(config.domains["example.org"], { catchAllSeparator: "+", disabled: false, dkim: [] });
  });

  it("has its file names start at its own directory", () => {
    assert.equal(valid(folder.load(MINIMAL)).dataDir, join(folder.directory, "data"));
  });

  it("may be JSON with comments and trailing commas", () => {
    const config = valid(
      folder.load(
        `{ // a comment
          "hostName": "mail.example.org", "dataDir": "/tmp/x",
          "listeners": { "web": { "kind": "http", "address": "::1", "port": 0, "services": ["metrics"], }, },
        }`,
        {},
        "posthorn.jsonc",
      ),
    );
    assert.equal(config.listeners["web"]?.address, "::1");
  });

  it("reads durations, sizes and limits as people write them", () => {
    const app = valid(
      folder.load(
        `${MINIMAL.replace("password: app-secret", "password: app-secret, keepRetiredMessagePeriod: 1d 7.5m, keepRetiredWebhookPeriod: 0, keepReceivedPeriod: 30d, messagesPerDay: unlimited, storageQuota: 1.5GiB")}maxMessageSize: 40MB\n`,
      ),
    );
    assert.equal(app.accounts["app"]?.keepRetiredMessagePeriod, 24 * HOUR_MS + 450_000);
    assert.equal(app.accounts["app"].keepRetiredWebhookPeriod, 0);
    assert.equal(app.accounts["app"].keepReceivedPeriod, 30 * 24 * HOUR_MS);
    assert.equal(app.accounts["app"].messagesPerDay, null);
    assert.equal(app.accounts["app"].storageQuota, 1.5 * 2 ** 30);
    assert.equal(app.maxMessageSize, 40_000_000);
  });

  it("reads secrets from files of their own, without the last line break", () => {
    folder.write("app.secret", "from a file\n");
    const config = valid(folder.load(MINIMAL.replace("password: app-secret", "passwordFile: app.secret")));
    assert.equal(config.accounts["app"]?.password, "from a file");
  });

  it("turns a login in a webhook's URL into an Authorization header, so that no event stores it", () => {
    const text = MINIMAL.replace("password: app-secret", 'password: p, outgoingWebhook: { url: "https://u:s%40cret@app.example.org/h#x" }');
    assert.deepEqual(valid(folder.load(text)).accounts["app"]?.outgoingWebhook, {
      url: "https://app.example.org/h",
      authorization: `Basic ${Buffer.from("u:s@cret").toString("base64")}`,
      events: [],
      mode: "latest",
    });
  });

  it("has canonical addresses and domains", () => {
    const text = MINIMAL.replace("[app@example.org]", '[App@Example.ORG, "@bücher.example"]').replace(
      "domains:",
      "domains:\n  xn--bcher-kva.example: {}",
    );
    assert.deepEqual(valid(folder.load(text)).accounts["app"]?.addresses, ["app@example.org", "@xn--bcher-kva.example"]);
  });
});

describe("the environment", () => {
  it("wins over the file, for every key by one rule", () => {
    const env = {
      POSTHORN_HOST_NAME: "other.example.org",
      POSTHORN_LISTENERS__WEB__PORT: "9090",
      POSTHORN_LISTENERS__WEB__ALLOW_INSECURE_LOGIN: "true",
      POSTHORN_ACCOUNTS__APP__PASSWORD: "12345",
      POSTHORN_DOMAINS__EXAMPLE_ORG__CATCH_ALL_SEPARATOR: "-",
      POSTHORN_WEBHOOKS__ALLOWED_NETWORKS: '["10.0.0.0/8"]',
      POSTHORN_WEBHOOKS__ALLOWED_NETWORKS__1: "fd00::/8",
      POSTHORN_DATA_DIR: "elsewhere",
      POSTHORN_LOG_LEVEL: "debug",
      UNRELATED: "x",
    };
    const config = valid(folder.load(MINIMAL, env));
    assert.equal(config.hostName, "other.example.org");
    assert.equal(config.listeners["web"]?.port, 9090);
    assert.equal(config.accounts["app"]?.password, "12345");
    assert.equal(config.domains["example.org"]?.catchAllSeparator, "-");
    assert.deepEqual(config.webhooks.allowedNetworks, ["10.0.0.0/8", "fd00::/8"]);
    assert.equal(config.dataDir, join(folder.directory, "elsewhere"));
    assert.equal(config.logLevel, "debug");
  });

  it("can say everything without a file", () => {
    const env = {
      POSTHORN_HOST_NAME: "mail.example.org",
      POSTHORN_DATA_DIR: "/var/lib/posthorn",
      POSTHORN_ADMIN_PASSWORD_FILE: folder.write("admin.secret", "file-secret"),
      POSTHORN_LISTENERS__WEB__KIND: "http",
      POSTHORN_LISTENERS__WEB__ADDRESS: "0.0.0.0",
      POSTHORN_LISTENERS__WEB__PORT: "80",
      POSTHORN_LISTENERS__WEB__ALLOW_INSECURE_LOGIN: "true",
      POSTHORN_DOMAINS: '{"example.org": {}}',
      POSTHORN_ACCOUNTS__MY_APP__ADDRESSES: '["app@example.org"]',
      POSTHORN_ACCOUNTS__MY_APP__PASSWORD: "[not json",
    };
    const config = valid(loadConfig({ env }));
    assert.equal(config.adminPassword, "file-secret");
    assert.equal(config.accounts["my-app"]?.password, "[not json");
  });

  it("names the file by POSTHORN_CONFIG", () => {
    const file = folder.write("named.yaml", MINIMAL);
    assert.equal(valid(loadConfig({ env: { POSTHORN_CONFIG: file } })).hostName, "mail.example.org");
  });

  it("is refused where it names no setting, unless Kubernetes put it there", () => {
    const env = {
      POSTHORN_DATADIRECTORY: "x",
      POSTHORN_LISTENERS__WEB__PROT: "1",
      POSTHORN_PORT: "tcp://10.0.0.1:80",
      POSTHORN_PORT_25_TCP_ADDR: "10.0.0.1",
      POSTHORN_SERVICE_HOST: "10.0.0.1",
    };
    assert.equal(
      formatConfigErrors(errorsOf(folder.load(MINIMAL, env))),
      "environment variable POSTHORN_DATADIRECTORY: names no setting\nenvironment variable POSTHORN_LISTENERS__WEB__PROT: names no setting",
    );
  });

  it("is named in errors about what it set", () => {
    const [error, ...others] = errorsOf(folder.load(MINIMAL, { POSTHORN_LISTENERS__WEB__PORT: "70000" }));
    assert.deepEqual(others, []);
    assert.deepEqual(error, {
      source: "environment variable POSTHORN_LISTENERS__WEB__PORT",
      line: null,
      key: "listeners.web.port",
      reason: "must be at most 65535",
    });
  });
});

describe("the example", () => {
  it("is valid as it is", () => {
    assert.equal(valid(folder.load(exampleConfig())).hostName, "mail.example.org");
  });

  it("is valid with everything switched on, and then has every key of the schema", () => {
    const cert = folder.write("test.crt", validCertificate.cert);
    const key = folder.write("test.key", validCertificate.key);
    const dkim = folder.write("dkim.key", generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    const text = exampleConfig()
      .replace(/^(?:transports: \{\}|routes: \[\]|holdRules: \[\]|#?adminPasswordHash:.*| *#passwordHash:.*)$/gmu, "")
      .replace(/^( *)#(?! \S|$)/gmu, "$1")
      .replace(/\/etc\/posthorn\/\w+\.crt/gu, cert)
      .replace("/etc/posthorn/mail2026.key", dkim)
      .replace(/\/etc\/posthorn\/\w+\.key/gu, key);
    const config = valid(folder.load(text));
    assert.deepEqual(Object.keys(config.listeners), ["web", "mx", "submission"]);
    assert.equal(config.routes[1]?.minAttempt, 3);
    assert.equal(config.holdRules.length, 1);
    assert.equal(config.domains["example.org"]?.dkim[0]?.selector, "mail2026");
    assert.equal(config.accounts["app"]?.incomingWebhook?.authorization, "Bearer change-me-as-well");
  });

  it("offers hashes that are hashes", () => {
    const text = exampleConfig()
      .replace("adminPassword: change-me\n#adminPasswordHash", "adminPasswordHash")
      .replace("    password: change-me-too\n    #passwordHash", "    passwordHash");
    assert.match(valid(folder.load(text)).accounts["app"]?.passwordHash ?? "", /^\$scrypt\$/u);
  });
});

describe("a file that cannot be read as configuration", () => {
  const refused = (text: string, name?: string): string => formatConfigErrors(errorsOf(folder.load(text, {}, name)));

  it("is named with the line of the syntax error", () => {
    assert.match(refused("hostName: x\nlisteners: {\n  web: [\n"), /^posthorn\.yaml:\d+: /u);
    assert.match(refused('{\n "a": 1\n "b": 2 }', "posthorn.json"), /^posthorn\.json:3: comma expected/u);
  });

  it("is refused when a key stands there twice", () => {
    assert.match(refused("hostName: a\nhostName: b\n"), /^posthorn\.yaml:2: .*unique/u);
    assert.match(refused('{"a": 1,\n"a": 2}', "posthorn.json"), /^posthorn\.json:2: the key "a" stands here a second time/u);
  });

  it("is refused when its aliases unfold without end", () => {
    const bomb = [
      "a: &a [x,x,x,x,x,x,x,x,x]",
      ...["b", "c", "d", "e", "f", "g"].map((name, index) => {
        const before = "abcdef"[index] ?? "";
        return `${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(",")}]`;
      }),
    ].join("\n");
    assert.match(refused(bomb), /alias/iu);
  });

  it("is refused when JSON is nested without end", () => {
    assert.match(refused("[".repeat(100_000), "posthorn.json"), /levels deep/u);
  });

  it("is refused with two documents, no document map, another ending, or no file", () => {
    assert.match(refused(`${MINIMAL}---\n${MINIMAL}`), /second YAML document/u);
    assert.match(refused("- a\n- b\n"), /expected a map of keys, found a list/u);
    assert.match(refused("", "posthorn.toml"), /must end in \.yaml/u);
    const missing = loadConfig({ path: join(folder.directory, "none.yaml"), env: {} });
    assert.match(formatConfigErrors(errorsOf(missing)), /none\.yaml: does not exist$/u);
  });

  it("is refused when it may not be read", { skip: process.getuid?.() === 0 ? "root may read everything" : false }, () => {
    chmodSync(folder.write("locked.yaml", MINIMAL), 0);
    assert.match(formatConfigErrors(errorsOf(loadConfig({ path: join(folder.directory, "locked.yaml"), env: {} }))), /may not be read/u);
  });
});
