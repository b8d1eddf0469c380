import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { MINUTE_MS } from "../../../../src/domain/clock.ts";
import type { TestServer } from "../support/webapi-server.ts";
import { basic, LOGIN, PASSWORD, startWebapi } from "../support/webapi-server.ts";

let server: TestServer;
before(async () => {
  server = await startWebapi();
});
after(() => server.close(0));

const MINIMAL = { To: [{ Address: "bob@example.net" }], Text: "hi" };
const get = (path: string, init: RequestInit = {}): Promise<Response> => fetch(server.origin + path, { redirect: "manual", ...init });

/** Sends raw octets on a connection of its own, and collects what comes until it is closed. */
const raw = async (octets: string | Buffer, port = server.port): Promise<string> => {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(octets);
  let answer = "";
  socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
  await once(socket, "close");
  return answer;
};

const post = (headers: string, body = ""): string =>
  `POST /webapi/v0/Send HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${LOGIN}\r\n${headers}\r\n\r\n${body}`;

describe("the suppression list", () => {
  it("is empty, gets an entry, and loses it", async () => {
    const address = { EmailAddress: "Bob+tag@example.net" };
    assert.deepEqual((await server.call("SuppressionList", {})).body, { Suppressions: [] });
    assert.deepEqual((await server.call("SuppressionPresent", address)).body, { Present: false });
    assert.deepEqual((await server.call("SuppressionAdd", { ...address, Manual: true, Reason: "asked" })).body, {});
    assert.equal((await server.call("SuppressionAdd", address)).body["Code"], "error");
    assert.deepEqual((await server.call("SuppressionPresent", { EmailAddress: "bob@example.net" })).body, { Present: true });
    assert.deepEqual((await server.call("SuppressionList", {})).body, {
      Suppressions: [
        {
          ...{ ID: 1, Created: "2026-06-01T00:00:00.000Z", Account: "shop", BaseAddress: "bob@example.net" },
          ...{ OriginalAddress: "Bob+tag@example.net", Manual: true, Reason: "asked" },
        },
      ],
    });
    const other = basic("other@example.org", PASSWORD);
    assert.deepEqual((await server.call("SuppressionList", {}, other)).body, { Suppressions: [] });
    assert.deepEqual((await server.call("SuppressionRemove", address)).body, {});
    assert.equal((await server.call("SuppressionRemove", address)).body["Code"], "error");
  });

  it("shows domains with their letters", async () => {
    await server.call("SuppressionAdd", { EmailAddress: "Bob@xn--mnchen-3ya.example" });
    const { body } = await server.call("SuppressionList", {});
    const [entry] = body["Suppressions"] as readonly Record<string, unknown>[];
    assert.deepEqual([entry?.["BaseAddress"], entry?.["OriginalAddress"]], ["bob@münchen.example", "Bob@münchen.example"]);
    assert.deepEqual((await server.call("SuppressionRemove", { EmailAddress: "bob@MÜNCHEN.example" })).body, {});
  });

  it("refuses what is no address", async () => {
    for (const method of ["SuppressionAdd", "SuppressionRemove", "SuppressionPresent"]) {
      for (const EmailAddress of ["", "a@", "a@b..example"]) {
        assert.equal((await server.call(method, { EmailAddress })).body["Code"], "badAddress");
      }
      assert.equal((await server.call(method, { EmailAddress: 1 })).body["Code"], "protocol");
    }
  });
});

describe("an address of the webapi", () => {
  it("redirects to its version", async () => {
    const response = await get("/webapi/");
    assert.deepEqual([response.status, response.headers.get("location")], [303, "/webapi/v0/"]);
  });

  it("shows the methods, and a page for each, without a login", async () => {
    const index = await get("/webapi/v0/");
    assert.equal(index.headers.get("content-type"), "text/html; charset=utf-8");
    const links = [...(await index.text()).matchAll(/href="(\/webapi\/v0\/\w+)"/g)].map(([, path]) => path ?? "");
    assert.deepEqual(
      links.map((path) => path.split("/").at(-1)),
      ["Send", "SuppressionList", "SuppressionAdd", "SuppressionRemove", "SuppressionPresent"],
    );
    for (const path of links) {
      const page = await get(path);
      assert.equal(page.status, 200);
      assert.match(page.headers.get("content-security-policy") ?? "", /^default-src 'none'; style-src 'sha256-/);
      assert.match(await page.text(), /<textarea[^>]*>\{[^]*<\/textarea>[^]*<button type="submit">Call/);
    }
  });

  it("shows an example that works", async () => {
    const page = await (await get("/webapi/v0/Send")).text();
    const example = /<textarea[^>]*>([^]*)<\/textarea>/.exec(page)?.[1]?.replaceAll("&quot;", '"') ?? "";
    assert.equal((await server.call("Send", example)).status, 200);
  });

  it("does not exist for an unknown method, whatever the verb", async () => {
    for (const path of [
      "/webapi/v0/Bogus",
      "/webapi/v0/send",
      "/webapi/v0/Send/",
      "/webapi/v0/__proto__",
      "/webapi/v1/Send",
      "/webapi/x",
      "/webapiv0/",
      "/",
    ]) {
      for (const method of ["GET", "POST", "PUT"]) assert.equal((await get(path, { method })).status, 404, `${method} ${path}`);
    }
    assert.equal((await get("/webapi/v0/MessageGet", { method: "POST" })).status, 404);
  });

  it("knows no other verbs", async () => {
    for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const response = await get("/webapi/v0/Send", { method });
      assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET, POST"]);
    }
    for (const path of ["/webapi/", "/webapi/v0/"]) assert.equal((await get(path, { method: "POST" })).status, 405);
  });

  it("can be another one", async () => {
    const elsewhere = await startWebapi({ basePath: "/mail/api/" });
    assert.equal((await fetch(`${elsewhere.origin}/mail/api/v0/Send`)).status, 200);
    assert.equal((await fetch(`${elsewhere.origin}/webapi/v0/Send`)).status, 404);
    await elsewhere.close(0);
  });
});

describe("a call without a valid login", () => {
  it("is asked for one", async () => {
    const headers = [
      undefined,
      "",
      "Basic",
      "Basic ???",
      "Bearer x",
      basic("shop@example.org", "wrong"),
      basic("gone@example.org", PASSWORD),
      "Basic eA==",
    ];
    for (const authorization of headers) {
      const fresh = await startWebapi();
      const response = await fetch(`${fresh.origin}/webapi/v0/Send`, {
        method: "POST",
        headers: authorization === undefined ? {} : { authorization },
      });
      assert.deepEqual([response.status, response.headers.get("www-authenticate")], [401, "Basic realm=webapi"], authorization);
      await fresh.close(0);
    }
  });

  it("is refused after ten failures in a minute, and heard again after that", async () => {
    const guessed = await startWebapi();
    const wrong = basic("shop@example.org", "wrong");
    for (let i = 0; i < 10; i++) assert.equal((await guessed.call("Send", MINIMAL, wrong)).status, 401);
    assert.equal((await guessed.call("Send", MINIMAL, wrong)).status, 429);
    assert.equal((await guessed.call("Send", MINIMAL)).status, 429);
    guessed.clock.advance(MINUTE_MS);
    assert.equal((await guessed.call("Send", MINIMAL)).status, 200);
    await guessed.close(0);
  });

  it("counts none for requests that name nobody", async () => {
    for (let i = 0; i < 12; i++) assert.equal((await get("/webapi/v0/Send", { method: "POST" })).status, 401);
    assert.equal((await server.call("Send", MINIMAL)).status, 200);
  });

  it("is counted for the client behind a proxy, when there is one", async () => {
    const proxied = await startWebapi({ trustForwarded: true });
    const from = async (address: string, password: string): Promise<number> => {
      const headers = { authorization: basic("shop@example.org", password), "x-forwarded-for": `6.6.6.6, ${address}` };
      return (
        await fetch(`${proxied.origin}/webapi/v0/SuppressionList`, {
          method: "POST",
          headers,
          body: new URLSearchParams({ request: "{}" }),
        })
      ).status;
    };
    for (let i = 0; i < 10; i++) assert.equal(await from("192.0.2.1", "wrong"), 401);
    assert.equal(await from("192.0.2.1", PASSWORD), 429);
    assert.equal(await from("198.51.100.1", PASSWORD), 200);
    await proxied.close(0);
  });
});

describe("a request body", () => {
  it("of another kind than a form is refused", async () => {
    for (const type of ["application/json", "text/plain", "multipart/form-data", "nonsense"]) {
      const response = await get("/webapi/v0/Send", {
        method: "POST",
        body: "request={}",
        headers: { authorization: LOGIN, "content-type": type },
      });
      assert.equal(((await response.json()) as { Code: string }).Code, "protocol");
    }
    assert.match(await raw(post("Content-Length: 2", "{}")), /"protocol"/);
  });

  it("that is not UTF-8 is refused", async () => {
    const body = Buffer.concat([Buffer.from('request={"Text":"'), Buffer.of(0xff, 0xfe), Buffer.from('"}')]);
    const headers = { authorization: LOGIN, "content-type": "application/x-www-form-urlencoded" };
    const response = await get("/webapi/v0/Send", { method: "POST", body, headers });
    assert.equal(((await response.json()) as { Code: string }).Code, "protocol");
  });

  it("announced too large is refused before it comes", async () => {
    const answer = await raw(
      post("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 99999999999"),
      (await lingering()).port,
    );
    assert.match(answer, /^HTTP\/1\.1 400 [^]*"Code":"messageTooLarge"/);
  });

  it("that grows too large is refused when it has", async () => {
    const { port } = await lingering();
    const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
    const answer = await raw(post("Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked", chunk.repeat(70)), port);
    assert.match(answer, /^HTTP\/1\.1 400 [^]*"Code":"messageTooLarge"/);
  });

  it("of a small method is refused as protocol when it is large", async () => {
    const { body } = await server.call("SuppressionList", `{}${" ".repeat(1_100_000)}`);
    assert.equal(body["Code"], "protocol");
  });

  it("that does not come in time is given up", async () => {
    const impatient = await startWebapi({ bodies: { graceMs: 50, octetsPerSecond: 1_000_000 }, listener: { lingerMs: 20 } });
    assert.match(await raw(post("Content-Length: 100", "req"), impatient.port), /^HTTP\/1\.1 408 /);
    await impatient.close(0);
  });

  it("is turned away when others fill the memory", async () => {
    const full = await startWebapi({ bodies: { maxBuffered: 10 } });
    assert.equal((await full.call("Send", MINIMAL)).status, 503);
    await full.close(0);
  });

  it("takes memory only while it is held", async () => {
    const narrow = await startWebapi({ bodies: { maxBuffered: 300 } });
    for (let i = 0; i < 20; i++) assert.equal((await narrow.call("Send", MINIMAL)).status, 200);
    await narrow.close(0);
  });

  it("that the client gives up half-way does no harm", async () => {
    const before = server.submissions.length;
    const socket = connect(server.port, "127.0.0.1");
    socket.write(post("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000", "request={"));
    await once(socket, "connect");
    socket.destroy();
    assert.equal((await server.call("Send", MINIMAL)).status, 200);
    assert.equal(server.submissions.length, before + 1);
  });
});

/** A server that does not wait long for what is left of a body. */
const lingering = async (): Promise<TestServer> => {
  const short = await startWebapi({ listener: { lingerMs: 20 } });
  after(() => short.close(0));
  return short;
};

describe("every call", () => {
  it("is reported with what it came to", async () => {
    const measured = await startWebapi();
    await measured.call("Send", MINIMAL);
    await measured.call("Send", {});
    await measured.call("Send", MINIMAL, basic("x", "y"));
    assert.deepEqual(
      measured.calls.map(({ method, result }) => [method, result]),
      [
        ["Send", "ok"],
        ["Send", "missingBody"],
        ["Send", "unauthorized"],
      ],
    );
    await measured.close(0);
  });
});
