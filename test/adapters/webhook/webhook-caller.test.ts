import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, describe, it } from "node:test";

import { expiredCertificate, validCertificate, type TestCertificate } from "../../support/certificates.ts";
import {
  bodyOf,
  callOnce,
  connectionIsBack,
  httpReceiver,
  localCaller,
  never,
  onEachRequest,
  openResources,
  type Receiver,
  someCall,
  tcpReceiver,
} from "./receiver.ts";

const { keep: kept, closeAll } = openResources();
afterEach(closeAll);

const answering = async (status: number, headers: Readonly<Record<string, string>> = {}, body = ""): Promise<Receiver> =>
  kept(
    await httpReceiver((_request, response) => {
      response.writeHead(status, headers).end(body);
    }),
  );

describe("a webhook call", () => {
  it("is a POST with the contract's body and headers", async () => {
    let seen:
      | {
          readonly method?: string | undefined;
          readonly url?: string | undefined;
          readonly headers: IncomingHttpHeaders;
          readonly body: string;
        }
      | undefined;
    const receiver = kept(
      await httpReceiver((request, response) => {
        void bodyOf(request).then((body) => {
          seen = { method: request.method, url: request.url, headers: request.headers, body };
          response.end("ok");
        });
      }),
    );
    const outcome = await callOnce(`${receiver.url}?a=b%20c`, { authorization: (account, kind) => `Bearer ${account}-${kind}` });
    assert.deepEqual(outcome, {
      kind: "answered",
      result: { startedAt: Date.UTC(2026, 5, 1, 12), durationMs: 0, status: 200, response: "ok", error: "" },
      retryAfterMs: null,
    });
    assert.equal(seen?.method, "POST");
    assert.equal(seen.url, "/hook?a=b%20c");
    assert.equal(
      seen.body,
      '{"Version":0,"Event":"failed","DSN":false,"Suppressing":true,"QueueMsgID":42,"FromID":"abc","MessageID":"<m1@example.org>",' +
        '"Subject":"Grüße \u{1F4EF}","WebhookQueued":"2026-06-01T11:59:58.500Z","SMTPCode":550,"SMTPEnhancedCode":"5.1.1",' +
        '"Error":"no such user","Extra":{"order":"7"},"BounceClass":"bad-address"}',
    );
    assert.equal(seen.headers["content-type"], "application/json; charset=utf-8");
    assert.equal(seen.headers["x-mox-webhook-id"], "4711");
    assert.equal(seen.headers["x-mox-webhook-attempt"], "3");
    assert.equal(seen.headers.authorization, "Bearer app-outgoing");
    assert.match(seen.headers["user-agent"] ?? "", /^Posthorn/u);
    assert.equal(seen.headers["content-length"], String(Buffer.byteLength(seen.body)));
  });

  it("has no Authorization when none is set, and a URL's login as Basic when there is one", async () => {
    const seen: (string | undefined)[] = [];
    const receiver = kept(
      await httpReceiver((request, response) => {
        seen.push(request.headers.authorization);
        response.end();
      }),
    );
    await callOnce(receiver.url);
    await callOnce(receiver.url.replace("//", "//u:p%40ss@"));
    assert.deepEqual(seen, [undefined, `Basic ${Buffer.from("u:p@ss").toString("base64")}`]);
  });

  it("is answered by any status, with the reason where it is no success", async () => {
    for (const [status, error] of [
      [204, ""],
      [299, ""],
      [400, "HTTP status 400"],
      [410, "HTTP status 410"],
      [500, "HTTP status 500"],
      [999, "HTTP status 999"],
    ] as const) {
      const outcome = await callOnce((await answering(status)).url);
      assert.equal(outcome.kind, "answered");
      assert.deepEqual([outcome.result.status, outcome.result.error], [status, error]);
    }
  });

  it("tells how long the receiver asks to wait", async () => {
    const seconds = await callOnce((await answering(429, { "Retry-After": "90" })).url);
    assert.equal(seconds.kind === "answered" && seconds.retryAfterMs, 90_000);
    const date = await callOnce((await answering(503, { "Retry-After": "Mon, 01 Jun 2026 12:01:00 GMT" })).url);
    assert.equal(date.kind === "answered" && date.retryAfterMs, 60_000);
    const nonsense = await callOnce((await answering(503, { "Retry-After": "later" })).url);
    assert.equal(nonsense.kind === "answered" && nonsense.retryAfterMs, null);
  });

  it("keeps the first 512 octets of the answer as text", async () => {
    const long = await callOnce((await answering(200, {}, `x${"é".repeat(600)}`)).url);
    assert.equal(long.kind === "answered" && long.result.response, `x${"é".repeat(255)}`);
    const short = await callOnce((await answering(200, { "Content-Type": "application/octet-stream" }, "a\u0000b")).url);
    assert.equal(short.kind === "answered" && short.result.response, "a\u0000b");
  });

  it("replaces what is no UTF-8", async () => {
    const receiver = kept(await httpReceiver((_request, response) => response.end(Buffer.from([0x61, 0xff, 0x62, 0xc3]))));
    const outcome = await callOnce(receiver.url);
    assert.equal(outcome.kind === "answered" && outcome.result.response, "a\ufffdb\ufffd");
  });

  it("does not follow a redirect, wherever it points", async () => {
    let reached = 0;
    const inside = kept(
      await httpReceiver((_request, response) => {
        reached += 1;
        response.end();
      }),
    );
    for (const status of [301, 302, 303, 307, 308]) {
      const outcome = await callOnce((await answering(status, { Location: inside.url })).url);
      assert.deepEqual([outcome.kind, outcome.kind === "answered" && outcome.result.status], ["answered", status]);
      assert.equal(outcome.kind === "answered" && outcome.result.error, `HTTP status ${status}: redirects are not followed`);
    }
    assert.equal(reached, 0);
  });

  it("uses one connection for one call after another, several at the same time", async () => {
    let connections = 0;
    const waiting: (() => void)[] = [];
    const receiver = kept(
      await httpReceiver((_request, response) => {
        waiting.push(() => response.end());
        if (waiting.length === 4) for (const answer of waiting.splice(0)) answer();
      }),
    );
    const counting = kept(
      await tcpReceiver((socket) => {
        connections += 1;
        onEachRequest(socket, () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
      }),
    );
    const caller = kept(localCaller({ connectionsPerHost: 4 }));
    const together = await Promise.all([1, 2, 3, 4].map((id) => caller.call(someCall(receiver.url, { id }), never())));
    assert.ok(together.every(({ kind }) => kind === "answered"));
    for (let id = 0; id < 5; id += 1) {
      await caller.call(someCall(counting.url, { id }), never());
      await connectionIsBack();
    }
    assert.equal(connections, 1);
  });

  it("keeps no connection when there are many already", async () => {
    let connections = 0;
    const receiver = kept(
      await tcpReceiver((socket) => {
        connections += 1;
        onEachRequest(socket, (request) => {
          assert.match(request, /connection: close/iu);
          socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        });
      }),
    );
    const caller = kept(localCaller({ keptConnections: 0 }));
    for (let id = 0; id < 3; id += 1) await caller.call(someCall(receiver.url, { id }), never());
    assert.equal(connections, 3);
  });

  it("tries again at once when a kept connection turns out to be closed", async () => {
    const requests: number[] = [];
    let connections = 0;
    const receiver = kept(
      await tcpReceiver((socket) => {
        const connection = (connections += 1);
        let served = 0;
        onEachRequest(socket, () => {
          requests.push(connection);
          served += 1;
          if (connection === 1 && served === 2) socket.resetAndDestroy();
          else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        });
      }),
    );
    const caller = kept(localCaller());
    await caller.call(someCall(receiver.url), never());
    await connectionIsBack();
    const second = await caller.call(someCall(receiver.url), never());
    assert.equal(second.kind, "answered");
    assert.deepEqual(requests, [1, 1, 2]);
  });
});

describe("a webhook call that finds nobody", () => {
  it("says so in a few words, without the URL's secrets", async () => {
    const closed = await answering(200);
    await closed.close();
    const failing = (code: string) => () => Promise.reject(Object.assign(new Error("look-up of secret-host"), { code }));
    const cases: readonly (readonly [Promise<unknown>, string])[] = [
      [callOnce(closed.url.replace("/hook", "/secret-token")), "connection refused"],
      [callOnce("http://nowhere.example/x", { resolve: failing("ENOTFOUND") }), "host name not found"],
      [callOnce("http://nowhere.example/x", { resolve: failing("EAI_AGAIN") }), "host name could not be looked up for now"],
      [callOnce("http://nowhere.example/x", { resolve: failing("ESTRANGE") }), "request failed (ESTRANGE)"],
      [callOnce("http://nowhere.example/x", { resolve: () => Promise.resolve([]) }), "host has no address"],
      [callOnce("ftp://127.0.0.1/secret-token"), "not an http or https URL"],
      [callOnce("secret-token"), "not an http or https URL"],
      [callOnce("http://%:%@127.0.0.1/"), "not an http or https URL"],
      [
        callOnce("http://127.0.0.1:1/", { authorization: () => "a\r\nX-Evil: b" }),
        "request cannot be made: check the URL and the Authorization value",
      ],
    ];
    for (const [outcome, error] of cases) {
      const { kind, result } = (await outcome) as { kind: string; result: { status: number; error: string } };
      assert.deepEqual([kind, result.status, result.error], ["unreachable", 0, error]);
    }
  });
});

describe("a webhook call over TLS", () => {
  const tlsReceiver = async (certificate: TestCertificate): Promise<string> => {
    const server = createTlsServer(certificate, (_request, response) => response.end("secure"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    kept({
      close: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    });
    return `https://receiver.example:${(server.address() as AddressInfo).port}/`;
  };
  const resolve = () => Promise.resolve([{ address: "127.0.0.1", family: 4 } as const]);

  it("reaches a receiver whose certificate is trusted and for its name", async () => {
    const outcome = await callOnce(await tlsReceiver(validCertificate), { resolve, trustedCertificates: [validCertificate.cert] });
    assert.equal(outcome.kind === "answered" && outcome.result.response, "secure");
  });

  it("is not made when the certificate is not trusted, has ended or is another's", async () => {
    const trusted = { resolve, trustedCertificates: [validCertificate.cert, expiredCertificate.cert] };
    const url = await tlsReceiver(validCertificate);
    for (const [outcome, error] of [
      [await callOnce(url, { resolve }), "certificate is self-signed"],
      [await callOnce(url.replace("receiver.example", "other.example"), trusted), "certificate is for another name"],
      [await callOnce(await tlsReceiver(expiredCertificate), trusted), "certificate has expired"],
      [await callOnce((await answering(200)).url.replace("http:", "https:"), trusted), "TLS handshake failed"],
    ] as const) {
      assert.equal(outcome.kind === "unreachable" && outcome.result.error, error);
    }
  });
});
