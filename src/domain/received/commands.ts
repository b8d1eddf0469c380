/** What may be asked of a message in a mailbox. */
import type { Instant } from "../clock.ts";
import type { Identity } from "../identity.ts";
import type { Mailbox, ReceivedMessage } from "./events.ts";

export type ReceivedCommand =
  | { readonly type: "receive"; readonly message: ReceivedMessage }
  /** Flags in lower case; see flags.ts. */
  | { readonly type: "flagsAdd"; readonly flags: readonly string[]; readonly by: Identity }
  | { readonly type: "flagsRemove"; readonly flags: readonly string[]; readonly by: Identity }
  | { readonly type: "move"; readonly mailbox: Mailbox; readonly by: Identity }
  | { readonly type: "delete"; readonly by: Identity }
  /** The time it is kept for is over. */
  | { readonly type: "remove" };

/** What a decision may depend on besides the state. */
export type ReceivedTerms = { readonly now: Instant };
