/** Builds the views of a stopped server's data directory anew, in a process of its own. Prints a {@link RebuildResult}. */
import { openSqliteStore } from "../../src/adapters/event-store/sqlite/open.ts";
import { rebuildViews } from "../../src/adapters/views/rebuild.ts";

export type RebuildJob = { readonly directory: string };
export type RebuildResult = { readonly events: number; readonly durationMs: number };

const { directory } = JSON.parse(process.argv[2] ?? "{}") as RebuildJob;
const store = await openSqliteStore({ directory });
const startedAt = performance.now();
const { events } = await rebuildViews({ store, directory });
const result: RebuildResult = { events, durationMs: performance.now() - startedAt };
await store.close();
process.stdout.write(JSON.stringify(result));
