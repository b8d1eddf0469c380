/** The thread that writes: collects what has piled up while the last commit ran, commits it, answers, tidies up. */
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import { giveBack } from "../../../domain/content.ts";
import type { Position } from "../../../domain/event-log.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import { openDatabase, type DatabaseOptions } from "./database.ts";
import type { Commit, Failure, Operation } from "./operations.ts";
import { unpack, type Packet } from "./wire.ts";
import { writer, type Writer } from "./writer.ts";

/** To the thread. */
export type Request = Packet | "close";
/** From the thread: first whether it opened, then one for each commit. `packets` counts the requests it answers. */
export type Reply =
  | { readonly kind: "opened"; readonly head: Position }
  | { readonly kind: "failed"; readonly failure: Failure }
  | ({ readonly kind: "committed"; readonly packets: number } & Commit);

/** A transaction takes no more packets in when it has this many operations. */
const GROUP_LIMIT = 2_048;

/** Large contents would stay until this thread, which makes little garbage else, collects some. */
const forgetContents = (operations: readonly Operation[]): void => {
  for (const operation of operations) {
    if (operation.kind !== "append") continue;
    for (const { pieces } of operation.contents) pieces.forEach(giveBack);
  }
};

const serve = (port: MessagePort, writer: Writer): void => {
  const reply = (message: Reply): void => {
    port.postMessage(message);
  };

  const nextRequest = (): Request | undefined => (receiveMessageOnPort(port) as { message: Request } | undefined)?.message;

  port.on("message", (request: Request) => {
    let next: Request | undefined = request;
    while (next !== undefined && next !== "close") {
      const operations: Operation[] = [];
      let packets = 0;
      while (next !== undefined && next !== "close") {
        for (const operation of unpack(next)) operations.push(operation);
        packets += 1;
        next = operations.length < GROUP_LIMIT ? nextRequest() : undefined;
      }
      reply({ kind: "committed", packets, ...writer.commit(operations) });
      forgetContents(operations);
      writer.tidy();
    }
    if (next !== "close") return;
    writer.close();
    port.close();
  });
  reply({ kind: "opened", head: writer.head() });
};

const start = (port: MessagePort, options: DatabaseOptions): void => {
  try {
    serve(port, writer(openDatabase(options), options.file));
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    const failed: Reply = { kind: "failed", failure: { reason: error.reason, message: error.message } };
    port.postMessage(failed);
  }
};

if (parentPort !== null) start(parentPort, workerData as DatabaseOptions);
