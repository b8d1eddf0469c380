/** The inner parts of mailauth that are used without their doors, which would take a whole message and decide on their own. */
declare module "mailauth/lib/dkim/dkim-verifier.js" {
  export type SignatureHeader = {
    readonly type: "DKIM" | "ARC" | "AS";
    readonly original: Buffer;
    readonly parsed?: Readonly<Record<string, { readonly value?: string | number } | undefined>>;
    readonly signAlgo: string;
    readonly hashAlgo: string;
    readonly bodyCanon: string;
    readonly canonicalization: string;
    /** A number, or empty without. */
    readonly maxBodyLength: number | string;
    readonly signingDomain: string;
    readonly selector: string;
    readonly expiration: Date | null;
    /** It cannot be verified: an algorithm or form that does not exist, or no domain. */
    readonly skip?: boolean;
  };

  export type HeaderRow = { readonly key: string; readonly casedKey: string; readonly line: Buffer };

  export class DkimVerifier {
    constructor(options: { readonly sender?: string; readonly curTime?: Date });
    readonly signatureHeaders: readonly SignatureHeader[];
    readonly arc: {
      readonly chain: unknown;
      readonly lastEntry?: { messageSignature?: { readonly status: { readonly result: string } } };
    };
    messageHeaders(headers: { readonly parsed: readonly HeaderRow[]; readonly original: Uint8Array }): Promise<void>;
  }
}

declare module "mailauth/lib/dkim/header/index.js" {
  export function generateCanonicalizedHeader(
    type: string,
    lines: object,
    options: {
      readonly signatureHeaderLine: Buffer;
      readonly canonicalization: string;
      readonly instance: string | number | false | undefined;
    },
  ): { readonly canonicalizedHeader: Buffer };
}

declare module "mailauth/lib/tools.js" {
  import type { HeaderRow } from "mailauth/lib/dkim/dkim-verifier.js";

  /** A method's part of an Authentication-Results field. */
  export function formatAuthHeaderRow(method: string, status: object): string;
  /** The one of `domains` that belongs to the same organisation as `domain`; false without any. */
  export function getAlignment(domain: string, domains: readonly string[]): { readonly domain: string } | false;
  /** The fields that `names` (the h= tag) stands for. */
  export function getSigningHeaderLines(rows: readonly HeaderRow[], names: string, verify: true): object;
  /** The PEM of a key in a DNS record. Rejects with the DNS's codes, or with EINVALIDVER, EINVALIDTYPE, EINVALIDVAL or ESHORTKEY. */
  export function getPublicKey(
    type: string,
    name: string,
    minBitLength: number,
    resolver: (name: string, type: string) => Promise<readonly (readonly string[] | string)[]>,
  ): Promise<{ readonly publicKey: string }>;
}
