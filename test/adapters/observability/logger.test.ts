import assert from "node:assert/strict";
import { Socket } from "node:net";
import { describe, it } from "node:test";
import type { Logger } from "pino";

import { attemptLog, callLogger, messageLogger } from "../../../src/adapters/observability/attempt-log.ts";
import { logger, type LogLevel } from "../../../src/adapters/observability/logger.ts";

/** A logger and the lines that it wrote. */
const recorded = (
  level: LogLevel = "debug",
): { readonly log: Logger; readonly lines: Record<string, unknown>[]; readonly text: () => string } => {
  const written: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => {
    written.push(line);
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  return { log: logger({ level, destination: { write } }), lines, text: () => written.join("") };
};

describe("a log line", () => {
  it("is JSON with a time, a level by name and the fields", () => {
    const { log, lines } = recorded();
    log.info({ port: 25, at: new Date(0) }, "listening");
    assert.equal(lines[0]?.["level"], "info");
    assert.equal(lines[0]["msg"], "listening");
    assert.equal(lines[0]["port"], 25);
    assert.equal(lines[0]["at"], "1970-01-01T00:00:00.000Z");
    assert.match(String(lines[0]["time"]), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/u);
  });

  it("is not written below the level", () => {
    const { log, lines } = recorded("warn");
    log.info("x");
    assert.deepEqual(lines, []);
  });

  it("has no secret, however its key is written and however deep it stands", () => {
    const { log, text } = recorded();
    const keys = [
      "password",
      "Password",
      "passwordHash",
      "adminPassword",
      "authorization",
      "Authorization",
      "Proxy-Authorization",
      "Cookie",
      "set-cookie",
      "token",
      "accessToken",
      "clientSecret",
      "apiKey",
      "api_key",
      "privateKey",
      "passphrase",
      "credentials",
    ];
    for (const key of keys) {
      log.info({ [key]: "hidden", deep: [{ headers: { [key]: ["hidden"] } }], map: new Map([["x", { [key]: "hidden" }]]) });
      log.child({ [key]: "hidden", in: { [key]: "hidden" } }).info("x");
      log
        .child({ call: 1 })
        .child({ [key]: "hidden" })
        .info({ [key]: "hidden" }, "x");
    }
    assert.doesNotMatch(text(), /hidden/u);
  });

  it("has what only sounds like a secret", () => {
    const { log, lines } = recorded();
    log.info({ tokens: 3, passed: true, bypass: 1, keyFile: "/k" });
    assert.deepEqual([lines[0]?.["tokens"], lines[0]?.["passed"], lines[0]?.["bypass"], lines[0]?.["keyFile"]], [3, true, 1, "/k"]);
  });

  it("has of an error its name, message, code and causes, and nothing that hangs on it", () => {
    const { log, lines, text } = recorded();
    const cause = Object.assign(new Error("no space"), {
      code: "ENOSPC",
      request: { headers: { authorization: "hidden" }, body: "hidden" },
    });
    const error = new Error("append failed", { cause });
    log.error({ err: error, other: error }, "trouble");
    const seen = lines[0]?.["err"] as { message: string; stack: string; cause: { code: string } };
    assert.equal(seen.message, "append failed");
    assert.equal(seen.cause.code, "ENOSPC");
    assert.match(seen.stack, /logger\.test/u);
    assert.deepEqual(lines[0]?.["other"], seen);
    assert.doesNotMatch(text(), /hidden/u);
  });

  it("survives what cannot be shown: circles, sockets, octets, endless causes, great depth", () => {
    const { log, lines, text } = recorded();
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    const error = new Error("x");
    error.cause = error;
    log.info({
      circle,
      socket: new Socket(),
      body: Buffer.from("hidden"),
      url: new URL("http://u:hidden@h.example/hidden"),
      err: error,
      big: Array.from({ length: 5_000 }, () => 0),
      n: 1n,
    });
    assert.equal(lines[0]?.["socket"], "(Socket)");
    assert.equal(lines[0]["body"], "(6 octets)");
    assert.equal(lines[0]["url"], "http://h.example");
    assert.ok(text().length < 20_000);
    assert.doesNotMatch(text(), /hidden/u);
  });
});

describe("an attempt in the log", () => {
  const result = {
    startedAt: 0,
    durationMs: 12,
    code: 250,
    enhancedCode: "2.0.0",
    error: "",
    remoteHost: "mx.example",
    remoteAddress: "192.0.2.1",
    transport: "direct",
  };
  const message = { id: 7, account: "app", recipientDomain: "example.org", recipient: "somebody@example.org" };
  const call = { id: 9, account: "app", host: "hooks.example", messageRef: 7, url: "https://hooks.example/hidden" };

  it("has the ids of message or call, and neither address nor URL", () => {
    const { log, lines, text } = recorded();
    attemptLog(log).delivery(message, 2, { kind: "delivered", result });
    attemptLog(log).call(call, 1, {
      kind: "answered",
      result: { startedAt: 0, durationMs: 3, status: 500, response: "hidden", error: "HTTP status 500" },
      retryAfterMs: null,
    });
    assert.deepEqual(
      [lines[0]?.["messageId"], lines[0]?.["attempt"], lines[0]?.["code"], lines[0]?.["msg"]],
      [7, 2, 250, "message delivered"],
    );
    assert.deepEqual(
      [lines[1]?.["callId"], lines[1]?.["messageId"], lines[1]?.["status"], lines[1]?.["msg"]],
      [9, 7, 500, "webhook call failed"],
    );
    assert.doesNotMatch(text(), /hidden|somebody/u);
  });

  it("is louder the less is known about it", () => {
    const { log, lines } = recorded();
    const attempts = attemptLog(log);
    attempts.delivery(message, 1, { kind: "uncertain", result });
    attempts.delivery(message, 1, { kind: "interrupted", reason: "stopping" });
    attempts.delivery(message, 1, { kind: "rejected", permanent: false, result: { ...result, code: 451 } });
    attempts.delivery(message, 1, { kind: "rejected", permanent: true, result: { ...result, code: 550 } });
    attempts.call(call, 1, { kind: "interrupted", reason: "stopping" });
    assert.deepEqual(
      lines.map(({ level, msg }) => [level, msg]),
      [
        ["warn", "message perhaps delivered"],
        ["debug", "delivery interrupted"],
        ["info", "message not delivered"],
        ["info", "message refused"],
        ["debug", "webhook call interrupted"],
      ],
    );
  });

  it("can have a logger of its own", () => {
    const { log, lines } = recorded();
    messageLogger(log, 5).info("a");
    callLogger(log, 6).info("b");
    assert.deepEqual([lines[0]?.["messageId"], lines[1]?.["callId"]], [5, 6]);
  });
});
