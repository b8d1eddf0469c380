/**
 * A process that appends to a store and says so: what the tests kill, lock out and trace. Arguments: data directory, how
 * many appends run at a time, how many in all (0: until killed). Each append is two streams and a content; its number goes
 * to stdout, with a plain blocking write, once it was acknowledged.
 */
import { writeSync } from "node:fs";
import { openSqliteStore } from "../../../../src/adapters/event-store/sqlite/open.ts";
import { birth } from "../encoded.ts";

const [directory = "", concurrency = "1", total = "0"] = process.argv.slice(2);
const store = await openSqliteStore({ directory });
writeSync(1, "open\n");

let next = store.head() + 1;
let left = total === "0" ? Infinity : Number(total);

const appendAll = async (): Promise<void> => {
  while (left > 0) {
    left -= 1;
    const number = next;
    next += 10;
    const bytes = new Uint8Array(1_000 + (number % 7) * 50_000).fill(number % 251);
    const result = await store.append(
      [birth(`left-${number}`, "1", "2"), birth(`right-${number}`, "3")],
      [{ id: number, pieces: [bytes] }],
    );
    if (result.appended) writeSync(1, `stored ${number}\n`);
  }
};

await Promise.all(Array.from({ length: Number(concurrency) }, appendAll));
await store.close();
