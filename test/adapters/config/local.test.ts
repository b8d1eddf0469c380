import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { formatConfigErrors } from "../../../src/adapters/config/errors.ts";
import { LOCAL_LOGIN, localConfig } from "../../../src/adapters/config/local.ts";
import { redacted } from "../../../src/adapters/config/redacted.ts";
import { errorsOf, valid } from "./configuration-folder.ts";

describe("local mode", () => {
  it("needs no file and listens to this machine only", () => {
    const config = valid(localConfig({ env: {}, workingDirectory: "/srv" }));
    assert.deepEqual(
      Object.values(config.listeners).map(({ kind, address, port }) => [kind, address, port]),
      [
        ["smtp", "127.0.0.1", 1025],
        ["http", "127.0.0.1", 1080],
        ["submission", "127.0.0.1", 1587],
      ],
    );
    assert.equal(config.dataDir, "/srv/data/local");
  });

  it("has one account ready to use, without limits", () => {
    const config = valid(localConfig({ env: {} }));
    const account = config.accounts[LOCAL_LOGIN.account];
    assert.equal(account?.password, LOCAL_LOGIN.password);
    assert.ok(account.addresses.includes(LOCAL_LOGIN.address));
    assert.equal(account.messagesPerDay, null);
    assert.equal(account.keepReceivedPeriod, 7 * 24 * 3_600_000);
    assert.equal(account.firstTimeRecipientsPerDay, null);
    assert.equal(config.domains["localhost"]?.catchAllSeparator, "+");
  });

  it("delivers everything to its own SMTP port, wherever that is", () => {
    for (const config of [
      valid(localConfig({ env: { POSTHORN_LISTENERS__SMTP__PORT: "2525" } })),
      valid(localConfig({ env: {}, smtpPort: 2525 })),
    ]) {
      assert.deepEqual(config.transports["local"], {
        kind: "smarthost",
        host: "127.0.0.1",
        port: 2525,
        tls: "none",
        verifyCertificate: true,
      });
      assert.equal(config.routes[0]?.transport, "local");
    }
  });

  it("calls a webhook on this machine when it is told one", () => {
    const env = { POSTHORN_WEBHOOK_URL: "http://localhost:3000/hook" };
    assert.equal(valid(localConfig({ env })).accounts["local"]?.outgoingWebhook?.url, "http://localhost:3000/hook");
    const flag = valid(localConfig({ env, webhookUrl: "http://localhost:4000/" }));
    assert.equal(flag.accounts["local"]?.outgoingWebhook?.url, "http://localhost:4000/");
    assert.deepEqual(flag.webhooks.allowedNetworks, ["127.0.0.0/8", "::1/128"]);
    assert.equal(flag.accounts["local"].incomingWebhook, undefined);
  });

  it("tells what arrives where it is told to", () => {
    const env = { POSTHORN_INCOMING_WEBHOOK_URL: "http://localhost:3000/incoming" };
    const { local } = valid(localConfig({ env })).accounts;
    assert.deepEqual([local?.incomingWebhook?.url, local?.outgoingWebhook], ["http://localhost:3000/incoming", undefined]);
    const flag = valid(localConfig({ env, incomingWebhookUrl: "http://localhost:4000/" }));
    assert.equal(flag.accounts["local"]?.incomingWebhook?.url, "http://localhost:4000/");
  });

  it("explains a wrong webhook URL", () => {
    const said = formatConfigErrors(errorsOf(localConfig({ env: { POSTHORN_WEBHOOK_URL: "localhost:3000" } })));
    assert.equal(said, "local mode: accounts.local.outgoingWebhook.url: is not an http or https URL");
  });
});

describe("a redacted configuration", () => {
  it("shows settings but no secret", () => {
    const env = {
      POSTHORN_ADMIN_PASSWORD: "hidden-1",
      POSTHORN_ACCOUNTS__LOCAL__PASSWORD: "hidden-2",
      POSTHORN_WEBHOOK_URL: "https://hidden-3:hidden-4@hooks.example.org/hidden-5?key=hidden-6",
      POSTHORN_TRANSPORTS__RELAY: JSON.stringify({
        kind: "smarthost",
        host: "relay.example",
        port: 25,
        auth: { user: "u", password: "hidden-7" },
      }),
    };
    const text = JSON.stringify(redacted(valid(localConfig({ env }))));
    assert.doesNotMatch(text, /hidden/u);
    assert.match(text, /"hooks\.example\.org|https:\/\/hooks\.example\.org"/u);
    assert.match(text, /"user":"u"/u);
  });
});
