import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { hashPassword, isPasswordHash, passwordCheck } from "../../../src/adapters/config/password.ts";

describe("a password hash", () => {
  it("lets the password in, every time, and nothing else", async () => {
    const hash = await hashPassword("pässword");
    const check = passwordCheck({ passwordHash: hash });
    assert.equal(await check("password"), false);
    assert.equal(await check("pässword"), true);
    assert.equal(await check("pa\u0308ssword"), true, "in another normal form");
    assert.equal(await check("pässword "), false);
    assert.equal(await check(""), false);
  });

  it("is salted", async () => {
    assert.notEqual(await hashPassword("same"), await hashPassword("same"));
  });

  it("is recognised by its form and sane cost", () => {
    assert.ok(!isPasswordHash("$scrypt$ln=40,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$ChPbD7iD2+6Q4PUF7nlzZ5EAYhKZR3zYB9ZAuSV2yRQ"));
    assert.ok(!isPasswordHash("plain"));
  });
});

describe("a written password", () => {
  it("lets itself in and nothing else", async () => {
    const check = passwordCheck({ password: "secret" });
    assert.equal(await check("secret"), true);
    assert.equal(await check("Secret"), false);
  });

  it("that is missing lets nobody in", async () => {
    assert.equal(await passwordCheck({})(""), false);
  });
});
