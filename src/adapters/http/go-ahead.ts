/**
 * Expect: 100-continue (RFC 9110 section 10.1.1). A client that asks before it sends a body, as curl does with large forms, is
 * told to go on when somebody begins to read it: what is refused for its login or its announced size is never sent.
 */
import type { IncomingMessage, ServerResponse } from "node:http";

type Waiting = { readonly response: ServerResponse; readonly keepAlive: boolean };

const waiting = new WeakMap<IncomingMessage, Waiting>();

/** The client of this request waits. Unless it hears to go on, nothing can follow on its connection. */
export const awaitGoAhead = (request: IncomingMessage, response: ServerResponse): void => {
  waiting.set(request, { response, keepAlive: response.shouldKeepAlive });
  response.shouldKeepAlive = false;
};

/** Tells a client that waits to send its body; nothing for others. */
export const goAhead = (request: IncomingMessage): void => {
  const asked = waiting.get(request);
  if (asked === undefined) return;
  waiting.delete(request);
  asked.response.shouldKeepAlive = asked.keepAlive;
  asked.response.writeContinue();
};
