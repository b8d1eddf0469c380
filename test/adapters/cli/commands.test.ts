/** Every command that asks a server, against the admin API on a real socket. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { HOUR_MS } from "../../../src/domain/clock.ts";
import { aCall, happened, NOON, webhookSamples } from "../../support/samples.ts";
import { adminWorld, type AdminWorld } from "../http/admin/admin-world.ts";
import { runCommand, type Ran } from "./run-command.ts";

type State = {
  readonly state: string;
  readonly nextAttemptAt: number;
  readonly transport: string | null;
  readonly requireTls: boolean | null;
};

describe("posthorn queue", () => {
  let world: AdminWorld;

  before(async () => {
    world = await adminWorld();
    await world.queue([1, 2, 3]);
    await world.queue([4], {
      recipient: "eve@other.example",
      recipientDomain: "other.example",
      subject: "\u001b[31mred\u202e",
      from: "a\u0007@b.example",
    });
  });
  after(() => world.stop());

  const run = (...words: readonly string[]): Promise<Ran> => runCommand(world.base, ["queue", ...words]);
  const message = async (id: number): Promise<State> => (await world.call(`/messages/${id}`)).get("message") as State;
  const idsOf = async (...words: readonly string[]): Promise<readonly number[]> =>
    (JSON.parse((await run("list", "--json", ...words)).out) as readonly { readonly id: number }[]).map(({ id }) => id);

  it("list prints a table for people and JSON for machines", async () => {
    const { code, out } = await run("list");
    assert.equal(code, 0);
    const [titles = "", first = ""] = out.split("\n");
    assert.match(titles, /^ID +STATE +ACCOUNT +FROM +TO +ATTEMPTS +NEXT ATTEMPT +CLASS +LAST RESULT$/u);
    assert.match(first, /^ *1 +queued +shop +orders@shop\.example +bob@there\.example +0\/8 +2026-06-01T12:00:00Z$/u);
    assert.deepEqual(await idsOf("--sort", "queued", "--reverse"), [4, 3, 2, 1]);
  });

  it("list filters and stops where it is told to", async () => {
    assert.deepEqual(await idsOf("--to", "@other.example"), [4]);
    assert.deepEqual(await idsOf("--id", "3", "1", "--sort", "queued"), [1, 3]);
    assert.deepEqual(await idsOf("--id", "3,1", "--sort", "queued"), [1, 3]);
    assert.deepEqual(await idsOf("--next-after", "+1m", "--not-held"), [3]);
    assert.deepEqual(await idsOf("--submitted-before", "-1h"), []);
    const { err } = await run("list", "--limit", "2");
    assert.match(err, /there are more than these 2/u);
    assert.match((await run("list", "--held")).err, /no messages/u);
  });

  it("prints nothing that a terminal would obey", async () => {
    for (const words of [["list"], ["show", "4"]]) assert.ok(!/[\u001b\u0007\u202e]/u.test((await run(...words)).out), words[0]);
  });

  it("show tells a message's story", async () => {
    await world.tell("message-3", [happened("DeliveryAttempted"), happened("DeliveryDeferred", { nextAttemptAt: NOON + HOUR_MS })]);
    const { out } = await run("show", "3");
    for (const line of [
      /^state: +queued$/mu,
      /^next attempt: +2026-06-01T13:00:00Z$/mu,
      /^attempts: +1 of 8$/mu,
      /deferred +mx\.there\.example +451 no luck$/mu,
      /DeliveryDeferred: attempt 1 failed/u,
    ]) {
      assert.match(out, line);
    }
    const { code, err, out: nothing } = await run("show", "99");
    assert.deepEqual([code, err, nothing], [1, "posthorn: there is no such message, or no longer\n", ""]);
  });

  it("hold and release change what matches and say how many", async () => {
    assert.deepEqual(await run("hold", "--to", "@other.example"), { code: 0, out: "1 matched, 1 changed\n", err: "", called: [] });
    assert.equal((await message(4)).state, "held");
    assert.equal((await run("release", "--all")).out, "4 matched, 1 changed\n");
    assert.equal((await message(4)).state, "queued");
    assert.equal((await run("hold", "--all", "--dry-run", "--limit", "3")).out, "3 matched, nothing was changed\n");
  });

  it("schedule takes a time, now, a while or a shift, and one of them", async () => {
    await run("schedule", "--id", "1", "--at", "2026-06-02T00:00Z");
    assert.equal((await message(1)).nextAttemptAt, Date.UTC(2026, 5, 2));
    await run("schedule", "--id", "1", "--by", "-1h");
    assert.equal((await message(1)).nextAttemptAt, Date.UTC(2026, 5, 1, 23));
    await run("schedule", "--id", "1", "--in", "1h 30m");
    assert.equal((await message(1)).nextAttemptAt, NOON + 1.5 * HOUR_MS);
    await run("schedule", "--id", "1", "--now");
    assert.equal((await message(1)).nextAttemptAt, NOON);
    for (const when of [[], ["--now", "--in", "1h"], ["--at", "soon"], ["--in", "1 fortnight"], ["--by", "-"]]) {
      assert.equal((await run("schedule", "--id", "1", ...when)).code, 2, when.join(" "));
    }
  });

  it("transport and requiretls set what they are told", async () => {
    await run("transport", "relay", "--id", "2");
    assert.equal((await message(2)).transport, "relay");
    await run("transport", "-", "--id", "2");
    assert.equal((await message(2)).transport, null);
    const { code, err } = await run("transport", "nowhere", "--id", "2");
    assert.deepEqual([code, err], [1, 'posthorn: action.transport: there is no transport "nowhere"\n']);
    await run("requiretls", "yes", "--id", "2");
    assert.equal((await message(2)).requireTls, true);
    await run("requiretls", "policy", "--id", "2");
    assert.equal((await message(2)).requireTls, null);
    assert.equal((await run("requiretls", "maybe", "--id", "2")).code, 2);
  });

  it("wants to be told which messages", async () => {
    for (const words of [
      ["hold"],
      ["drop"],
      ["fail", "--limit", "1"],
      ["drop", "--all", "--to", "@a.example"],
      ["drop", "--held", "--not-held"],
      ["drop", "--id", "x"],
      ["drop", "--tp", "@a.example"],
      ["drop", "stray"],
    ]) {
      const { code, err } = await run(...words);
      assert.equal(code, 2, words.join(" "));
      assert.match(err, /^posthorn: /u);
    }
    assert.equal((await run("list", "--to", "nonsense")).code, 1);
  });

  it("fail and drop end messages, which retired then lists", async () => {
    await run("fail", "--id", "1");
    await run("drop", "--id", "2");
    const { out } = await runCommand(world.base, ["retired", "list"]);
    assert.match(out, /^ *1 +failed /mu);
    assert.match(out, /^ *2 +canceled /mu);
    assert.match((await runCommand(world.base, ["retired", "list", "--state", "delivered"])).err, /no messages/u);
    await world.tell("message-4", [happened("DeliveryAttempted")]);
    assert.equal((await run("drop", "--id", "4")).out, "1 matched, 0 changed, 1 could not be (attempting: 1)\n");
  });

  it("dump writes the content, for its owner's eyes only where it goes to a file", async () => {
    await world.tell(
      "message-8",
      [{ ...happened("MessageQueued"), id: 8, contentId: 77 }],
      [{ id: 77, pieces: [Buffer.from("Subject: \u00e4\r\n\r\nhi\r\n")] }],
    );
    assert.equal((await run("dump", "8")).out, "Subject: \u00e4\r\n\r\nhi\r\n");
    const directory = await mkdtemp(join(tmpdir(), "posthorn-cli-"));
    try {
      const file = join(directory, "m.eml");
      assert.equal((await run("dump", "8", "--output", file)).code, 0);
      assert.equal(await readFile(file, "utf8"), "Subject: \u00e4\r\n\r\nhi\r\n");
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      assert.equal((await run("dump", "8", "--output", join(directory, "no", "such"))).code, 2);
    } finally {
      await rm(directory, { recursive: true });
    }
    assert.equal((await run("dump", "3")).code, 1);
  });
});

describe("the other commands that ask a server", () => {
  let world: AdminWorld;

  before(async () => {
    world = await adminWorld();
    for (const id of [90, 91]) await world.tell(`webhook-${id}`, [{ ...webhookSamples.WebhookQueued, ...aCall({ id, messageRef: id }) }]);
  });
  after(() => world.stop());

  const run = (...words: readonly string[]): Promise<Ran> => runCommand(world.base, words);

  it("list, show, put off and cancel webhook calls", async () => {
    assert.match((await run("webhooks", "list")).out, /^ *90 +queued +delivered +90 +https:\/\/hooks\.shop\.example\/mail +0\/12 /mu);
    assert.equal((await run("webhooks", "schedule", "90", "--in", "2h")).out, "1 matched, 1 changed\n");
    assert.match((await run("webhooks", "show", "90")).out, /^next attempt: +2026-06-01T14:00:00Z$/mu);
    assert.equal((await run("webhooks", "cancel", "90", "91,7")).out, "3 matched, 2 changed, 1 could not be (unborn: 1)\n");
    assert.match((await run("webhooks", "list", "--retired", "--message", "91")).out, /^ *91 +canceled /mu);
    for (const words of [
      ["cancel"],
      ["schedule", "90"],
      ["schedule", "90", "--by", "1h"],
      ["list", "--event", "exploded"],
      ["show", "0"],
    ]) {
      assert.equal((await run("webhooks", ...words)).code, 2, words.join(" "));
    }
  });

  it("list, add and remove hold rules", async () => {
    const [, id = ""] = /^hold rule (\d+) added\n$/u.exec((await run("holdrules", "add", "--recipient-domain", "There.example")).out) ?? [];
    assert.match((await run("holdrules", "list")).out, new RegExp(`^ *${id} +any +any +there\\.example +2026-06-01T12:00:00Z$`, "mu"));
    assert.equal((await run("holdrules", "add", "--recipient-domain", "there.example")).code, 1);
    assert.equal((await run("holdrules", "remove", id)).out, `hold rule ${id} removed\n`);
    assert.equal((await run("holdrules", "remove", id)).code, 1);
    assert.equal((await run("holdrules", "add")).code, 2);
    assert.equal((await run("holdrules", "add", "--all", "--account", "shop")).code, 2);
    assert.equal((await run("holdrules", "add", "--account", "nobody")).code, 1);
  });

  it("list, add and remove suppressions", async () => {
    assert.equal(
      (await run("suppressions", "add", "Bob+x@there.example", "--account", "shop", "--reason", "asked us")).out,
      "bob@there.example added to the list of shop\n",
    );
    assert.match(
      (await run("suppressions", "list", "--account", "shop")).out,
      /^shop +bob@there\.example +2026-06-01T12:00:00Z +hand +asked us$/mu,
    );
    assert.equal((await run("suppressions", "add", "a/b?c#d@there.example", "--account", "shop")).code, 0);
    assert.equal((await run("suppressions", "remove", "a/b?c#d@there.example", "--account", "shop")).code, 0);
    assert.equal(
      (await run("suppressions", "remove", "bob@there.example", "--account", "shop")).out,
      "bob@there.example removed from the list of shop\n",
    );
    assert.equal((await run("suppressions", "remove", "bob@there.example", "--account", "shop")).code, 1);
    assert.equal((await run("suppressions", "add", "a@b.example")).code, 2);
  });

  it("print a stream and the log", async () => {
    const stream = await run("events", "stream", "webhook-90");
    assert.match(stream.out, /^\d+ {2}2026-06-01T12:00:00Z {2}webhook-90 {2}WebhookQueued: call for delivered of message 90 queued$/mu);
    assert.equal((await run("events", "stream", "nothing-1")).code, 1);
    const log = await run("events", "log", "--json", "--types", "WebhookQueued");
    assert.deepEqual(
      log.out
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { readonly stream: string }).stream),
      ["webhook-90", "webhook-91"],
    );
    assert.equal((await run("events", "log", "--limit", "3")).out.trimEnd().split("\n").length, 3);
    assert.equal((await run("events", "log", "--after", `${world.log.head()}`)).out, "");
    assert.equal((await run("events", "log", "--types", "Nonsense")).code, 1);
  });

  it("say how the views stand", async () => {
    const head = world.log.head();
    assert.equal((await run("views", "status")).out, `position:        ${head}\nhead of the log: ${head}\nbehind:          0\n`);
    assert.match((await run("views", "status", "--digest")).out, /^digest: +\S{16,}$/mu);
  });
});
