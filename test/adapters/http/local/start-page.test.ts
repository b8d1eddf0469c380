/** The commands of the first page, as a shell understands them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import { sendCommand, shellWord } from "../../../../src/adapters/http/local/start-page.ts";

const shell = (command: string): string => execFileSync("sh", ["-c", command], { encoding: "utf8" });

describe("a word of a command", () => {
  it("means itself to a shell", () => {
    for (const text of ["plain", "it's", "''", '$(id) `id` \\ "x" !', "a\nb", "*", "-n"])
      assert.equal(shell(`printf %s ${shellWord(text)}`), text);
  });
});

describe("the command that sends a message", () => {
  const login = { address: "local@localhost", password: "it's $HOME" };

  it("hands curl the login, the address and a request that is JSON", () => {
    const command = sendCommand({ host: "localhost:1080", secure: false }, login, "you@example.org", "It's here");
    const words = shell(command.replace(/^curl/u, "printf '%s\\n'")).trimEnd().split("\n");
    assert.deepEqual(words.slice(0, 4), [
      "--user",
      "local@localhost:it's $HOME",
      "http://localhost:1080/webapi/v0/Send",
      "--data-urlencode",
    ]);
    const request = JSON.parse((words[4] ?? "").replace(/^request=/u, "")) as unknown;
    assert.deepEqual(request, { To: [{ Address: "you@example.org" }], Subject: "It's here", Text: "Sent with curl.\n" });
  });

  it("takes the certificate of local mode", () => {
    assert.match(
      sendCommand({ host: "localhost:1443", secure: true }, login, "a@b.example", ""),
      /^curl --insecure .* https:\/\/localhost:1443\//u,
    );
  });
});
