/** Where the server listens: one entry per address and port. */
import { z } from "zod";

import { count, flag, listenAddress, path, port } from "./values.ts";

/** Certificate chain and private key, PEM files. */
const tls = z.strictObject({ certFile: path, keyFile: path });

/** What an HTTP listener offers. */
export const HTTP_SERVICES = ["webapi", "admin", "metrics"] as const;

const basePath = z
  .string()
  .regex(/^\/(?:[A-Za-z0-9._~-]+\/)*(?:[A-Za-z0-9._~-]+)?$/u, 'must be a path such as "/" or "/mail/"')
  .refine((text) => !text.split("/").some((part) => part === "." || part === ".."), 'must not hold "." or ".."')
  .transform((text) => text.replace(/\/$/u, ""));

const http = z.strictObject({
  kind: z.literal("http"),
  address: listenAddress,
  port,
  tls: tls.optional(),
  /** Passwords may come without TLS: for loopback, or behind a proxy that does TLS. */
  allowInsecureLogin: flag.default(false),
  services: z.array(z.enum(HTTP_SERVICES)).min(1).default(["webapi", "admin", "metrics"]),
  /** Without its last slash: empty for the root. */
  basePath: basePath.default(""),
  /** Whether the peer is a proxy whose X-Forwarded-For and X-Forwarded-Proto tell about the client. */
  trustProxy: flag.default(false),
});

/** Receives mail from other servers. */
const smtp = z.strictObject({
  kind: z.literal("smtp"),
  address: listenAddress,
  port,
  /** Offers STARTTLS. */
  tls: tls.optional(),
  maxConnections: count(1, 100_000).default(500),
});

/** Takes mail from logged-in clients. */
const submission = z.strictObject({
  kind: z.literal("submission"),
  address: listenAddress,
  port,
  tls: tls.optional(),
  /** TLS from the first octet (port 465) instead of STARTTLS (port 587). */
  implicitTls: flag.default(false),
  allowInsecureLogin: flag.default(false),
  maxConnections: count(1, 100_000).default(500),
});

export const listener = z.discriminatedUnion("kind", [http, smtp, submission]);
