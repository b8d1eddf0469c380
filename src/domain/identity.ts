/** Who did something, recorded in the events that a person, a rule or the system itself caused. */
export type Identity = {
  readonly kind: "operator" | "account" | "holdrule" | "system";
  /** Operator's or account's name, hold rule's id, or the part of the system. */
  readonly name: string;
};

/** Points at one event in the log: the cause of another. */
export type EventReference = { readonly stream: string; readonly revision: number };
