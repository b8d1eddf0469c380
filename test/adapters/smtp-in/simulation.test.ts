import assert from "node:assert/strict";
import { describe, it } from "node:test";

import fc from "fast-check";

import { simulationOf, type SimulationPoint } from "../../../src/adapters/smtp-in/simulation.ts";

const inShort = (address: string, point: SimulationPoint): string => {
  const simulated = simulationOf(address, point);
  if (simulated === undefined) return "nothing";
  return simulated.kind === "silence" ? "silence" : `${simulated.code} ${simulated.enhancedCode}`;
};

const TABLE: readonly (readonly [address: string, mailFrom: string, rcptTo: string, data: string])[] = [
  ["you@localhost", "nothing", "nothing", "nothing"],
  ["temperror@localhost", "nothing", "nothing", "451 4.0.0"],
  ["permerror@localhost", "nothing", "nothing", "550 5.0.0"],
  ["timeout@localhost", "nothing", "nothing", "silence"],
  ["any.thing-permerror@localhost", "nothing", "nothing", "550 5.0.0"],
  ["PermError@localhost", "nothing", "nothing", "550 5.0.0"],
  ["permerror.not@localhost", "nothing", "nothing", "nothing"],
  ["user452@localhost", "nothing", "nothing", "452 4.0.0"],
  ["400@localhost", "nothing", "nothing", "400 4.0.0"],
  ["user599@localhost", "nothing", "nothing", "599 5.0.0"],
  ["user399@localhost", "nothing", "nothing", "nothing"],
  ["user600@localhost", "nothing", "nothing", "nothing"],
  ["user1550@localhost", "nothing", "nothing", "nothing"],
  ["user55@localhost", "nothing", "nothing", "nothing"],
  ["user550@permerror", "nothing", "nothing", "550 5.0.0"],
  ["you@permerror", "nothing", "nothing", "nothing"],
  ["mailfrompermerror@localhost", "550 5.0.0", "nothing", "550 5.0.0"],
  ["mailfrom421@localhost", "421 4.0.0", "nothing", "421 4.0.0"],
  ["mailfromtimeout@localhost", "silence", "nothing", "silence"],
  ["mailfrom@localhost", "nothing", "nothing", "nothing"],
  ["rcpttotemperror@localhost", "nothing", "451 4.0.0", "451 4.0.0"],
  ["rcptto552@localhost", "nothing", "552 5.0.0", "552 5.0.0"],
  ["rcpttotimeout@localhost", "nothing", "silence", "silence"],
  ["mailfrompermerror+fx7dk2@localhost", "550 5.0.0", "nothing", "550 5.0.0"],
  ["you+permerror@localhost", "nothing", "nothing", "550 5.0.0"],
  ['"to nobody-permerror"@localhost', "nothing", "nothing", "550 5.0.0"],
  ['"rcptto the moon-452"@localhost', "nothing", "452 4.0.0", "452 4.0.0"],
  ["", "nothing", "nothing", "nothing"],
  ["postmaster", "nothing", "nothing", "nothing"],
];

describe("an address that fails on purpose", () => {
  for (const [address, mailFrom, rcptTo, data] of TABLE) {
    it(`is known by its local part: ${address === "" ? "the null reverse path" : address}`, () => {
      assert.deepEqual([inShort(address, "mailFrom"), inShort(address, "rcptTo"), inShort(address, "data")], [mailFrom, rcptTo, data]);
    });
  }

  it("answers with its own number, of the range and no other", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99_999 }), (number) => {
        const expected = number >= 400 && number <= 599 ? `${number} ${number < 500 ? 4 : 5}.0.0` : "nothing";
        assert.equal(inShort(`someone-${number}@localhost`, "data"), expected);
      }),
    );
  });
});
