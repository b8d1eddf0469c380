/** The inner parts of mailauth that are used without their doors, which would take a whole message and decide on their own. */
declare module "mailauth/lib/dkim/dkim-verifier.js" {
  export type SignatureHeader = {
    readonly type: "DKIM" | "ARC" | "AS";
    readonly original: Uint8Array;
    readonly parsed?: Readonly<Record<string, { readonly value?: string | number } | undefined>>;
    readonly hashAlgo: string;
    /** Names the body hash it needs among those of the verifier. */
    readonly bodyHashKey?: string;
    readonly signingDomain: string;
    readonly selector: string;
    /** Whether it is passed over. */
    skip?: boolean;
  };

  export type SignatureResult = {
    readonly signingDomain?: string;
    readonly selector?: string;
    readonly id?: string;
    readonly status: { result: string; comment?: string | false; underSized?: number; header?: Readonly<Record<string, unknown>> };
    info?: string;
  };

  export type HeaderRow = { readonly key: string; readonly casedKey: string; readonly line: Buffer };

  export type Hasher = {
    readonly digest: (encoding: "base64") => string;
    readonly getMimeStructureStart: () => number | false;
    readonly setContentType: (value: unknown) => void;
    readonly bodyHashedBytes: number;
    readonly canonicalizedLength: number;
  };

  export class DkimVerifier {
    constructor(options: {
      readonly resolver: (name: string, type: string) => Promise<string[][] | string[]>;
      readonly sender?: string;
      readonly curTime?: Date;
    });
    readonly signatureHeaders: SignatureHeader[];
    readonly bodyHashes: Map<string, Hasher>;
    readonly results: SignatureResult[];
    readonly arc: { readonly chain: unknown };
    messageHeaders(headers: { readonly parsed: readonly HeaderRow[]; readonly original: Uint8Array }): Promise<void>;
    finalChunk(): Promise<void>;
    destroy(): void;
  }
}

declare module "mailauth/lib/tools.js" {
  /** A method's part of an Authentication-Results field. */
  export function formatAuthHeaderRow(method: string, status: object): string;
  /** The one of `domains` that belongs to the same organisation as `domain`; false without any. */
  export function getAlignment(domain: string, domains: readonly string[]): { readonly domain: string } | false;
}
