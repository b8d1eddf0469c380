import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { authenticator } from "../../../src/adapters/auth/authenticator.ts";
import { hashPassword, parsePasswordHash } from "../../../src/adapters/auth/password-hash.ts";
import type { Account, Directory } from "../../../src/domain/account/account.ts";
import { MINUTE_MS } from "../../../src/domain/clock.ts";
import { virtualClock } from "../../support/virtual-clock.ts";

const CHEAP = { ln: 4, r: 8, p: 1 };
const shop = { name: "shop", loginDisabled: false } as Account;

/** Counts look-ups of the password: each computation needs one, and a remembered login another. */
const subject = (stored: string | undefined, account: Account | undefined = shop, limits: object = {}) => {
  const state = { stored, account };
  const clock = virtualClock();
  const directory = { accountOf: ({ domain }) => (domain === "example.org" ? state.account : undefined) } as Directory;
  const { verify } = authenticator({ directory, passwordOf: () => state.stored, clock, cost: CHEAP, ...limits });
  return { state, clock, kind: async (password: string, address = "shop@example.org") => (await verify(address, password)).kind };
};

describe("a password hash", () => {
  it("is salted, and read back", async () => {
    const [one, two] = [await hashPassword("secret", CHEAP), await hashPassword("secret", CHEAP)];
    assert.match(one, /^\$scrypt\$ln=4,r=8,p=1\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/);
    assert.notEqual(one, two);
    assert.deepEqual(parsePasswordHash(one)?.cost, CHEAP);
  });

  it("is none when it asks for too much, or is not one", () => {
    const salt = "c2FsdHNhbHRzYWx0";
    const hash = "aGFzaGhhc2hoYXNoaGFzaGhhc2g";
    for (const cost of ["ln=30,r=8,p=1", "ln=15,r=99,p=1", "ln=15,r=8,p=99", "ln=0,r=8,p=1", "ln=x,r=8,p=1"]) {
      assert.equal(parsePasswordHash(`$scrypt$${cost}$${salt}$${hash}`), undefined, cost);
    }
    for (const text of ["", "secret", "$scrypt$", `$scrypt$ln=4,r=8,p=1$$${hash}`]) assert.equal(parsePasswordHash(text), undefined);
  });
});

describe("a login", () => {
  it("is verified with the right password, plain or hashed, and refused with another", async () => {
    for (const stored of ["secret", await hashPassword("secret", CHEAP)]) {
      const { kind } = subject(stored);
      assert.equal(await kind("secret"), "verified");
      assert.equal(await kind("secret "), "refused");
      assert.equal(await kind(""), "refused");
    }
  });

  it("is refused for a stranger, an account without a password, and what is no address", async () => {
    assert.equal(await subject("secret").kind("secret", "shop@example.com"), "refused");
    assert.equal(await subject("secret").kind("secret", "shop"), "refused");
    assert.equal(await subject(undefined).kind("secret"), "refused");
    assert.equal(await subject("secret", undefined).kind("secret", "x@example.net"), "refused");
  });

  it("is refused when a stored hash cannot be read: it is not taken for the password", async () => {
    assert.equal(await subject("$scrypt$broken").kind("$scrypt$broken"), "refused");
  });

  it("is refused when the account's login is disabled, also a remembered one", async () => {
    const { state, kind } = subject("secret");
    assert.equal(await kind("secret"), "verified");
    state.account = { ...shop, loginDisabled: true };
    assert.equal(await kind("secret"), "refused");
  });

  it("takes passwords that differ only in Unicode form for the same", async () => {
    const { kind } = subject(await hashPassword("te\u0301st \u00a0\u2002", CHEAP));
    assert.equal(await kind("tést   "), "verified");
  });

  it("is remembered, until the password changes", async () => {
    const { state, kind } = subject(await hashPassword("old", CHEAP));
    assert.equal(await kind("old"), "verified");
    state.stored = await hashPassword("new", CHEAP);
    assert.equal(await kind("old"), "refused");
    assert.equal(await kind("new"), "verified");
  });

  it("is verified anew when its time has passed", async () => {
    // Without room to compute anything, only what is remembered gets through.
    const limits = { maxConcurrent: 1, maxWaiting: 0, rememberMs: MINUTE_MS };
    const { clock, kind } = subject(await hashPassword("secret", CHEAP), shop, limits);
    assert.equal(await kind("secret"), "verified");
    const wrong = kind("wrong");
    assert.equal(await kind("secret"), "verified");
    clock.advance(MINUTE_MS);
    assert.equal(await kind("secret"), "busy");
    assert.equal(await wrong, "refused");
    assert.equal(await kind("secret"), "verified");
  });

  it("shares one computation with others of the same name and password", async () => {
    const { kind } = subject(await hashPassword("secret", CHEAP), shop, { maxConcurrent: 1, maxWaiting: 0 });
    assert.deepEqual(await Promise.all([kind("secret"), kind("secret"), kind("secret")]), ["verified", "verified", "verified"]);
  });

  it("is turned away when too many others wait", async () => {
    const { kind } = subject(await hashPassword("secret", CHEAP), shop, { maxConcurrent: 1, maxWaiting: 1 });
    assert.deepEqual(await Promise.all([kind("a"), kind("b"), kind("c")]), ["refused", "refused", "busy"]);
    assert.equal(await kind("secret"), "verified");
  });

  it("of absurd length is refused unread", async () => {
    const { kind } = subject("secret", shop, { maxConcurrent: 1, maxWaiting: 0 });
    assert.equal(await kind("x".repeat(100_000)), "refused");
  });
});
