/** The README says what the code does: its generated parts are those that the charts and tables give today. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createMachine } from "xstate";
import { retryTable, sections, spelledDuration, stateDiagram, withSections } from "../../scripts/readme-sections.ts";

const readme = await readFile(join(import.meta.dirname, "../../README.md"), "utf8");
const markers = (name: string, content: string): string => `<!-- generated:${name} -->${content}<!-- /generated:${name} -->\n`;
const allMarkers = [...sections.keys()].map((name) => markers(name, "STALE")).join("");

describe("the README", () => {
  it("has the charts and tables of the code (else: npm run docs)", async () => {
    assert.equal(readme, await withSections(readme));
  });

  it("is found out when a chart in it differs", async () => {
    const stale = readme.replace("held --> queued: MessageReleased", "held --> failed: MessageReleased");
    assert.notEqual(stale, readme);
    assert.equal(await withSections(stale), readme);
  });

  it("draws the same when drawn again, and leaves the rest alone", async () => {
    const page = await withSections(`# Before\n${allMarkers}After\n`);
    assert.equal(await withSections(page), page);
    assert.ok(page.startsWith("# Before\n<!-- generated:") && page.endsWith("-->\nAfter\n") && !page.includes("STALE"));
  });

  it("may not lack a section, have it twice or leave it open", async () => {
    await assert.rejects(withSections(allMarkers.replace(markers("message-chart", "STALE"), "")), /message-chart, once each/);
    await assert.rejects(withSections(allMarkers + markers("message-chart", "STALE")), /message-chart, once each/);
    await assert.rejects(withSections(allMarkers.replace("<!-- /generated:message-chart -->", "")), /message-chart, once each/);
  });

  it("may not have sections that nobody generates", async () => {
    await assert.rejects(withSections(allMarkers + markers("mesage-chart", "")), /mesage-chart/);
  });
});

describe("a state diagram", () => {
  const machine = createMachine({
    initial: "unborn",
    states: {
      unborn: { on: { Born: "open" } },
      open: { on: { Turned: {}, Looked: {}, Closed: [{ target: "kept", guard: "worthIt" }, { target: "gone" }] } },
      kept: {},
      gone: { type: "final" },
    },
  });

  it("starts before the first event, gathers events of one way and names guards", () => {
    assert.deepEqual(stateDiagram(machine).split("\n"), [
      "```mermaid",
      "stateDiagram-v2",
      "  [*] --> open: Born",
      "  open --> open: Turned<br/>Looked",
      "  open --> kept: Closed [worthIt]",
      "  open --> gone: Closed",
      "  gone --> [*]",
      "```",
    ]);
  });

  it("is not drawn wrong when states are nested", () => {
    const nested = createMachine({ initial: "a", states: { a: { initial: "b", states: { b: {} } } } });
    assert.throws(() => stateDiagram(nested), /nested/);
  });
});

describe("a retry table", () => {
  it("adds up the waits", () => {
    assert.deepEqual(retryTable([60_000, 90_000]).split("\n").slice(2), [
      "| 1 | at once | |",
      "| 2 | 1 min | 1 min |",
      "| 3 | 1 min 30 s | 2 min 30 s |",
    ]);
  });

  it("spells durations", () => {
    assert.deepEqual([0, 1_000, 450_000, 3_600_000, 90_061_000].map(spelledDuration), [
      "0 s",
      "1 s",
      "7 min 30 s",
      "1 h",
      "25 h 1 min 1 s",
    ]);
  });
});
