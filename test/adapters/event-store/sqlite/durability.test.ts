/** Asks the kernel: was the write-ahead log synced after its last write, and only then the append acknowledged? */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { APPENDING_CHILD } from "./child.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const APPENDS = 20;

/** Why tracing is impossible here; undefined when it works. */
const obstacle = (): string | undefined => {
  if (process.platform !== "linux") return "strace is for Linux";
  const probe = spawnSync("strace", ["-f", "-o", "/dev/null", "true"]);
  if (probe.error !== undefined) return "strace is not installed";
  return probe.status === 0 ? undefined : "strace may not trace here";
};

type Call = { readonly kind: "write" | "sync" | "acknowledge"; readonly text: string };

/** The calls that matter, in the order in which they were over. A call cut in two by another thread counts at its end. */
const calls = (trace: string): readonly Call[] => {
  const begun = new Map<string, string>();
  const found: Call[] = [];
  for (const line of trace.split("\n")) {
    const [, thread = "", rest = ""] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (rest.endsWith("<unfinished ...>")) {
      begun.set(thread, rest);
      continue;
    }
    const text = rest.startsWith("<...") ? `${begun.get(thread) ?? ""} ${rest}` : rest;
    if (/^pwrite(64|v)?\(\d+<[^>]*events\.sqlite-wal>/.test(text)) found.push({ kind: "write", text });
    else if (/^f(data)?sync\(\d+<[^>]*events\.sqlite-wal>/.test(text) && text.endsWith("= 0")) found.push({ kind: "sync", text });
    else if (/^write\(1<[^>]*>, "stored /.test(text)) found.push({ kind: "acknowledge", text });
  }
  return found;
};

describe("an acknowledged append", () => {
  const skip = obstacle() ?? false;
  it("has been synced to the disk", { skip }, () => {
    const directory = temporaryDirectory();
    try {
      const file = join(directory.path, "trace");
      const syscalls = "trace=write,pwrite64,pwritev,fsync,fdatasync";
      const child = [process.execPath, APPENDING_CHILD, join(directory.path, "data"), "1", String(APPENDS)];
      const run = spawnSync("strace", ["-f", "-y", "-o", file, "-e", syscalls, "-e", "signal=none", ...child], { encoding: "utf8" });
      assert.equal(run.status, 0, run.stderr);

      let unsynced = 0;
      let syncedWrites = 0;
      let acknowledged = 0;
      for (const { kind, text } of calls(readFileSync(file, "utf8"))) {
        if (kind === "write") unsynced += 1;
        if (kind === "sync") {
          syncedWrites += unsynced;
          unsynced = 0;
        }
        if (kind !== "acknowledge") continue;
        acknowledged += 1;
        assert.equal(unsynced, 0, `acknowledged before the log was synced: ${text}`);
        assert.ok(syncedWrites > 0, `acknowledged although nothing was written: ${text}`);
        syncedWrites = 0;
      }
      assert.equal(acknowledged, APPENDS);
    } finally {
      directory.remove();
    }
  });
});
