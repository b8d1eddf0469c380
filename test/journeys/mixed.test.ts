import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { viewsPath } from "../../src/adapters/views/rebuild.ts";
import { removeViews } from "../../src/adapters/views/views-file.ts";
import { DAY_MS, HOUR_MS, SECOND_MS } from "../../src/domain/clock.ts";
import { houses, LOGIN, type House } from "../support/posthorn.ts";
import { seeded } from "../support/seeded.ts";
import type { Script } from "../support/scripted-remote.ts";

const house = houses();
const SEED = Number(process.env["POSTHORN_TEST_SEED"] ?? 20260601);

const REPLIES = ["550 5.1.1 No such user", "554 5.7.5 Policy", "451 4.3.2 Not now", "421 4.3.2 Closing"] as const;
const ACTIONS = ["hold", "release", "fail", "drop", "scheduleIn", "postpone", "setRequireTls"] as const;
const CLUB = { user: "news@club.example", password: "a secret of the club" };

const PATHS = [
  ...[
    "/queue?limit=500",
    "/queue?sort=queuedAt&direction=descending",
    "/queue?hold=true",
    "/retired?limit=500",
    "/retired?state=suppressed",
  ],
  ...["/retired?to=@b.example", "/webhooks?limit=500", "/webhooks/retired?limit=500", "/suppressions?limit=500", "/holdrules", "/stats"],
];

/** Lets time pass until no destination has to be waited for: after a restart none is known to be slow. */
const unpaced = async ({ clock, quiet, pass, posthorn }: House): Promise<void> => {
  await quiet();
  const isDue = (): boolean => posthorn().views.readModel.due({ kind: "deliver", at: clock.now(), perLane: 1, limit: 1 }).length > 0;
  while (isDue()) await pass(10 * SECOND_MS);
};

/** What the server says of itself, by every list. A rebuild cannot know how late it is once the newest streams are gone. */
const told = async (ours: House): Promise<Readonly<Record<string, unknown>>> => {
  const { admin, clock, posthorn } = ours;
  await unpaced(ours);
  const lists = await Promise.all(PATHS.map(async (path) => [path, await admin("GET", path)] as const));
  return { ...Object.fromEntries(lists), digest: await posthorn().views.digest({ usageAfter: clock.now() - DAY_MS }) };
};

const rebuilt = async (ours: House): Promise<Readonly<Record<string, unknown>>> => {
  await ours.stop();
  removeViews(viewsPath(ours.directory));
  await ours.start();
  return told(ours);
};

const mixture = async (chance: ReturnType<typeof seeded>): Promise<House> => {
  const script: Script = ({ phase, line }) => {
    if (phase === "DOT" && chance.oneIn(25)) return { cut: true };
    if (phase !== "RCPT" || line.includes("steady") || chance.oneIn(3)) return undefined;
    return chance.oneIn(2) ? chance.pick(REPLIES) : undefined;
  };
  const account = (more: object) => ({ messagesPerDay: "unlimited", firstTimeRecipientsPerDay: 1_000, ...more });
  const ours = await house({
    remote: { script },
    config: (hook) => ({
      domains: { "shop.example": { catchAllSeparator: "+" }, "club.example": {} },
      accounts: {
        shop: account({
          ...{ addresses: [LOGIN.user], password: LOGIN.password, fromIdLoginAddresses: [LOGIN.user] },
          ...{
            outgoingWebhook: { url: hook, mode: "every" },
            keepRetiredMessagePeriod: "30h",
            keepRetiredWebhookPeriod: "2h",
            keepReceivedPeriod: "1d",
          },
        }),
        club: account({
          ...{ addresses: [CLUB.user], password: CLUB.password, outgoingWebhook: { url: hook } },
          ...{ keepRetiredMessagePeriod: "6h", keepRetiredWebhookPeriod: "60h", keepReceivedPeriod: 0 },
        }),
      },
    }),
  });
  ours.receiver.answer = () => (chance.oneIn(4) ? chance.pick([500, 503, 404, 302, "cut"] as const) : 200);
  return ours;
};

/** One thing that somebody does. */
const step = async (ours: House, chance: ReturnType<typeof seeded>): Promise<void> => {
  const address = (): string => `${chance.pick(["ann", "bob", "cid", "steady", "dan+tag"])}@${chance.pick(["a", "b", "c"])}.example`;
  const login = chance.pick([LOGIN, CLUB]);
  switch (chance.below(9)) {
    case 6: {
      const type = chance.pick(ACTIONS);
      const more =
        type === "scheduleIn"
          ? { inMs: 0 }
          : type === "postpone"
            ? { byMs: HOUR_MS }
            : type === "setRequireTls"
              ? { requireTls: false }
              : {};
      await ours.admin("POST", "/queue/actions", {
        action: { type, ...more },
        filter: { to: `@${chance.pick(["a", "b", "c"])}.example` },
        limit: 3,
      });
      return;
    }
    case 7: {
      const [rule] = await ours.list("/holdrules");
      if (rule === undefined) await ours.admin("POST", "/holdrules", { recipientDomain: "c.example", account: "club" });
      else await ours.admin("DELETE", `/holdrules/${String(rule["id"])}`);
      return;
    }
    case 8:
      await ours.webapi("SuppressionRemove", { EmailAddress: address() }, login);
      return;
    default: {
      const To = Array.from({ length: 1 + chance.below(4) }, () => ({ Address: address() }));
      const FutureRelease = chance.oneIn(5) ? new Date(ours.clock.now() + chance.below(DAY_MS)).toISOString() : null;
      assert.equal(
        (await ours.webapi("Send", { To, Text: "Hello\n", Subject: "News", FutureRelease, Extra: { n: "1" } }, login)).status,
        200,
      );
    }
  }
};

describe("two days of everything at once", () => {
  it(`leave views that a rebuild from the log confirms, at any time (seed ${SEED})`, async () => {
    const chance = seeded(SEED);
    const ours = await mixture(chance);
    for (let part = 0; part < 3; part += 1) {
      for (let count = 0; count < 25; count += 1) {
        await step(ours, chance);
        if (chance.oneIn(4)) await ours.pass(chance.below(2 * HOUR_MS));
      }
      assert.deepEqual(await told(ours), await rebuilt(ours));
    }
    await ours.admin("POST", "/queue/actions", { action: { type: "drop" }, filter: { all: true } });
    await ours.pass(5 * DAY_MS);
    const end = await told(ours);
    assert.deepEqual(await rebuilt(ours), end);
    const { counts } = end["/stats"] as { counts: readonly { list: string }[] };
    assert.deepEqual(
      counts.filter(({ list }) => list !== "suppressions"),
      [],
      "nothing is left over",
    );
    assert.deepEqual(await ours.posthorn().store.storedContentIds(0, 10), []);
    const streams = new Set((await ours.posthorn().store.readAll(0, 10_000)).map(({ stream }) => stream.split("-")[0]));
    assert.deepEqual(
      [...streams].filter((kind) => kind === "message" || kind === "webhook" || kind === "received"),
      [],
    );
  });
});
