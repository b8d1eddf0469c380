/** The in-memory store keeps the port's contract. */
import { memoryStore } from "../../../src/adapters/event-store/memory.ts";
import { eventStoreContract } from "./contract.ts";

eventStoreContract("the memory store", async () => {
  const store = memoryStore();
  return { store, dispose: store.close };
});
