/** The policy file comes over verified HTTPS, from where this server may call, in bounded time and size, or not at all. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, describe, it } from "node:test";

import { policyFetcher, type FetchPolicy } from "../../../src/adapters/mta-sts/fetch-policy.ts";
import { addressGuard } from "../../../src/adapters/webhook/address-guard.ts";
import { guardedConnector } from "../../../src/adapters/webhook/guarded-connector.ts";
import { testAuthority } from "../../support/test-authority.ts";

const authority = testAuthority();
const certificate = authority.issue(["mta-sts.there.example"]);
const FILE = "version: STSv1\nmode: enforce\nmx: mx.there.example\nmax_age: 604800\n";

const toClose: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0)) await close();
});

type Options = { readonly guarded?: boolean; readonly trusted?: readonly string[]; readonly timeoutMs?: number };

const serve = async (answer: RequestListener, { guarded = false, trusted = [authority.root], timeoutMs = 2_000 }: Options = {}) => {
  const asked: string[] = [];
  const server = createServer(certificate, (request, response) => {
    asked.push(`${request.method} ${request.headers.host?.split(":")[0]} ${request.url}`);
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  toClose.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const { connect } = guardedConnector({
    guard: addressGuard(guarded ? [] : ["127.0.0.0/8"]),
    resolve: () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]),
    connectTimeoutMs: 1_000,
    trustedCertificates: trusted,
  });
  const fetch: FetchPolicy = policyFetcher({ connect, port: (server.address() as AddressInfo).port, timeoutMs });
  return { fetch, asked };
};

const text: RequestListener = (_request, response) => {
  response.setHeader("content-type", "text/plain; charset=utf-8").end(FILE);
};

describe("a policy file", () => {
  it("is fetched from where it must be", async () => {
    const { fetch, asked } = await serve(text);
    assert.equal(await fetch("there.example"), FILE);
    assert.deepEqual(asked, ["GET mta-sts.there.example /.well-known/mta-sts.txt"]);
  });

  for (const [what, answer, options, reason] of [
    ["on a private address", text, { guarded: true }, /loopback/u],
    ["with a certificate that nobody vouches for", text, { trusted: [testAuthority("Another").root] }, /certificate|signature/u],
    [
      "that redirects",
      (_request, response) => void response.writeHead(301, { location: "https://mta-sts.there.example/x" }).end(),
      {},
      /301/u,
    ],
    ["that is not there", (_request, response) => void response.writeHead(404).end(), {}, /404/u],
    ["that is a web page", (_request, response) => void response.setHeader("content-type", "text/html").end(FILE), {}, /text\/html/u],
    ["without a type", (_request, response) => void response.end(FILE), {}, /no type/u],
    ["too long", (_request, response) => void response.setHeader("content-type", "text/plain").end("x".repeat(70_000)), {}, /longer/u],
    ["that never comes", () => undefined, { timeoutMs: 100 }, /abort|time/iu],
    [
      "that never ends",
      (_request, response) => {
        response.setHeader("content-type", "text/plain").write("version");
      },
      { timeoutMs: 100 },
      /abort|time/iu,
    ],
  ] satisfies readonly (readonly [string, RequestListener, Options, RegExp])[]) {
    it(`${what} is refused`, async () => {
      const { fetch } = await serve(answer, options);
      await assert.rejects(fetch("there.example"), (error: Error) => {
        const texts = [error.message, String((error.cause as Error | undefined)?.message), String((error as { code?: unknown }).code)].join(
          " ",
        );
        assert.match(texts, reason);
        return true;
      });
    });
  }

  it("of another name than the certificate's is refused", async () => {
    const { fetch, asked } = await serve(text);
    await assert.rejects(fetch("elsewhere.example"), /altnames|Hostname/u);
    assert.deepEqual(asked, []);
  });
});
