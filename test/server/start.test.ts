/** A start that fails leaves nothing open behind it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { validateConfig } from "../../src/adapters/config/validate.ts";
import { startPosthorn, type StartOptions } from "../../src/server/start.ts";
import { virtualClock } from "../support/virtual-clock.ts";

const nothing = (): void => undefined;

const optionsFor = (dataDir: string, takenPort: number): StartOptions => {
  const value = {
    hostName: "posthorn.example",
    dataDir,
    adminPassword: "a secret of the operator",
    listeners: {
      web: { kind: "http", address: "127.0.0.1", port: 0, allowInsecureLogin: true },
      mx: { kind: "smtp", address: "127.0.0.1", port: 0 },
      submission: { kind: "submission", address: "127.0.0.1", port: takenPort, allowInsecureLogin: true },
    },
    domains: { "shop.example": {} },
    accounts: { shop: { addresses: ["orders@shop.example"], password: "a secret of the shop" } },
  };
  const result = validateConfig({ value, source: "test", lineOf: () => null, directory: dataDir }, {}, dataDir);
  assert.ok(result.ok, JSON.stringify(result));
  const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  return { config: result.config, clock: virtualClock(), log, version: "0.0.0", onFatal: nothing };
};

describe("a server one of whose ports is taken", () => {
  it("says so, closes everything it has opened, and can be started when the port is free", async () => {
    const directory = mkdtempSync(join(tmpdir(), "posthorn-start-"));
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    after(() => other.close());
    const options = optionsFor(directory, (other.address() as AddressInfo).port);
    await assert.rejects(startPosthorn(options), /EADDRINUSE/u);
    other.close();
    await once(other, "close");
    const posthorn = await startPosthorn(options);
    assert.equal(posthorn.listeners.size, 3);
    await posthorn.stop(1_000);
    rmSync(directory, { recursive: true });
  });
});
