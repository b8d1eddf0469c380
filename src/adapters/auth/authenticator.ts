/**
 * Who a login name and password belong to. A password hash is slow on purpose, so a login that was verified is remembered
 * for a short while, as a keyed hash of what was presented, never as the password.
 */
import { hash, randomBytes } from "node:crypto";
import type { Account, Directory } from "../../domain/account/account.ts";
import { parseAddress } from "../../domain/address.ts";
import type { Address } from "../../domain/address.ts";
import { MINUTE_MS } from "../../domain/clock.ts";
import type { Clock } from "../../domain/clock.ts";
import { recentMap } from "../../domain/recent-map.ts";
import type { PasswordHash, ScryptCost } from "./password-hash.ts";
import { DEFAULT_COST, looksHashed, matchesHash, parsePasswordHash, samePassword } from "./password-hash.ts";

/** - `refused`: unknown address, wrong password or login disabled: the caller is not told which.
 *  - `busy`: too many unknown logins wait to be verified; nothing is known about this one. */
export type LoginResult =
  | { readonly kind: "verified"; readonly account: Account; readonly login: Address }
  | { readonly kind: "refused" }
  | { readonly kind: "busy" };

/** Verifies logins. Never throws for what a client sent. */
export type Authenticator = { readonly verify: (address: string, password: string) => Promise<LoginResult> };

export type AuthenticatorOptions = {
  readonly directory: Directory;
  /** Password of an account, plain or as `hashPassword` writes it; undefined = nobody can log in. */
  readonly passwordOf: (account: string) => string | undefined;
  readonly clock: Pick<Clock, "now">;
  /** How long a verified login needs no new proof. */
  readonly rememberMs?: number;
  /** Logins remembered at most. */
  readonly maxRemembered?: number;
  /** Password hashes computed at the same time: each takes a thread of the pool that file access needs too. */
  readonly maxConcurrent?: number;
  /** What refusing an unknown address costs: as much as the accounts' own hashes. */
  readonly cost?: ScryptCost;
  /** Logins that wait for their turn; more are turned away as `busy`. */
  readonly maxWaiting?: number;
};

type Remembered = { readonly account: string; readonly login: Address; readonly stored: string; readonly until: number };

const REFUSED: LoginResult = { kind: "refused" };
const BUSY: LoginResult = { kind: "busy" };
const MAX_PASSWORD = 1_024;

/** At most `concurrent` jobs run and `waiting` wait; `enter` answers undefined when there is no room. */
const turnstile = (concurrent: number, waiting: number) => {
  let running = 0;
  const queue: (() => void)[] = [];
  const leave = (): void => {
    const next = queue.shift();
    if (next === undefined) running -= 1;
    else next();
  };
  return {
    enter: async <Result>(job: () => Promise<Result>): Promise<Result | undefined> => {
      if (running >= concurrent) {
        if (queue.length >= waiting) return undefined;
        await new Promise<void>((resolve) => queue.push(resolve));
      } else running += 1;
      try {
        return await job();
      } finally {
        leave();
      }
    },
  };
};

/** Builds an {@link Authenticator} over the accounts' own credentials. */
export const authenticator = (options: AuthenticatorOptions): Authenticator => {
  const { directory, passwordOf, clock, rememberMs = 10 * MINUTE_MS, maxRemembered = 10_000 } = options;
  const hashing = turnstile(options.maxConcurrent ?? 2, options.maxWaiting ?? 64);
  /** Takes as long as a real one and never matches: what a login without a hash is compared with. */
  const decoy: PasswordHash = { cost: options.cost ?? DEFAULT_COST, salt: randomBytes(16), hash: randomBytes(32) };
  // Proofs never leave this process, so a secret in front serves as well as an HMAC, at a fraction of its price.
  const secret = randomBytes(32).toString("base64");
  const remembered = recentMap<Remembered>(maxRemembered);
  const pending = new Map<string, Promise<LoginResult>>();

  /** A remembered login is good while nothing it rests on has changed: password, address, account. */
  const recall = (proof: string): LoginResult | undefined => {
    const entry = remembered.get(proof);
    if (entry === undefined) return undefined;
    const account = directory.accountOf(entry.login);
    const valid = clock.now() < entry.until && account?.name === entry.account && passwordOf(entry.account) === entry.stored;
    if (valid && !account.loginDisabled) return { kind: "verified", account, login: entry.login };
    remembered.delete(proof);
    return undefined;
  };

  const matches = async (password: string, stored: string | undefined): Promise<boolean | undefined> => {
    const hash = stored !== undefined && looksHashed(stored) ? parsePasswordHash(stored) : undefined;
    if (hash !== undefined) return hashing.enter(() => matchesHash(password, hash));
    if (stored !== undefined && !looksHashed(stored) && samePassword(password, stored)) return true;
    // An unknown address and a wrong plain password cost what a wrong hashed one costs.
    return (await hashing.enter(() => matchesHash(password, decoy))) === undefined ? undefined : false;
  };

  const prove = async (proof: string, address: string, password: string): Promise<LoginResult> => {
    const login = parseAddress(address);
    const account = login === undefined ? undefined : directory.accountOf(login);
    const stored = account === undefined ? undefined : passwordOf(account.name);
    const matched = await matches(password, stored);
    if (matched === undefined) return BUSY;
    if (!matched || login === undefined || account === undefined || stored === undefined || account.loginDisabled) return REFUSED;
    remembered.set(proof, { account: account.name, login, stored, until: clock.now() + rememberMs });
    return { kind: "verified", account, login };
  };

  const verify = async (address: string, password: string): Promise<LoginResult> => {
    if (password.length > MAX_PASSWORD || address.length > MAX_PASSWORD) return REFUSED;
    const proof = hash("sha256", `${secret}${address}\0${password}`, "base64");
    const known = recall(proof);
    if (known !== undefined) return known;
    // Requests that start together with the same login share one computation.
    const running = pending.get(proof);
    if (running !== undefined) return running;
    const proving = prove(proof, address, password).finally(() => pending.delete(proof));
    pending.set(proof, proving);
    return proving;
  };

  return { verify };
};
