/** The embedded store keeps the port's contract. */
import { openSqliteStore } from "../../../../src/adapters/event-store/sqlite/open.ts";
import { eventStoreContract } from "../contract.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

eventStoreContract("the SQLite store", async () => {
  const directory = temporaryDirectory();
  const store = await openSqliteStore({ directory: directory.path });
  return {
    store,
    dispose: async () => {
      await store.close();
      directory.remove();
    },
  };
});
