/** What accounts and operators may do with a suppression list. */
import type { Address } from "../address.ts";
import type { Identity } from "../identity.ts";

/** One entry as it is listed. */
export type Suppression = {
  readonly id: number;
  readonly createdAt: number;
  readonly account: string;
  readonly baseAddress: string;
  readonly originalAddress: string;
  readonly manual: boolean;
  readonly reason: string;
};

/** Each call that changes the list answers when the views show it. Refusals are values. */
export type SuppressionList = {
  readonly add: (
    account: string,
    address: Address,
    entry: { readonly manual: boolean; readonly reason: string; readonly by: Identity },
  ) => Promise<"added" | "alreadyPresent">;
  readonly remove: (account: string, address: Address, by: Identity) => Promise<"removed" | "notPresent">;
  readonly present: (account: string, address: Address) => Promise<boolean>;
};
