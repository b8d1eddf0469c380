/** Where the running server is and the password to it, from options, environment and the defaults of local mode. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { CommandFailure, EXIT } from "./failure.ts";

export type Connection = { readonly url: URL; readonly password: string };

export type ConnectionOptions = { readonly url?: string | undefined; readonly passwordFile?: string | undefined };

export type ConnectionDefaults = {
  /** Where local mode listens, and its admin password: used for servers on this machine only. */
  readonly url: string;
  readonly password: string;
};

export type Environment = Readonly<Record<string, string | undefined>>;

const isLoopback = (hostname: string): boolean => {
  const host = hostname.replace(/^\[|\]$/gu, "");
  return host === "localhost" || host.endsWith(".localhost") || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
};

const urlOf = (text: string): URL => {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new CommandFailure(EXIT.usage, `${JSON.stringify(text)} is not the URL of a server, such as https://mail.example.org`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new CommandFailure(EXIT.usage, "the URL has a login: use POSTHORN_ADMIN_PASSWORD or --password-file for the password");
  }
  // What follows is joined to it.
  url.pathname = url.pathname.replace(/\/*$/u, "/");
  url.search = "";
  url.hash = "";
  return url;
};

const passwordIn = (file: string): string => {
  try {
    return readFileSync(file, "utf8").replace(/\r?\n$/u, "");
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw new CommandFailure(EXIT.usage, `the password file ${JSON.stringify(file)} cannot be read (${reason})`, { cause: error });
  }
};

/** Options win over the environment. `warn` is told when the password would travel for all to read. */
export const connectionOf = (
  { url: given, passwordFile }: ConnectionOptions,
  env: Environment,
  defaults: ConnectionDefaults,
  warn: (message: string) => void,
): Connection => {
  const setting = (name: string): string | undefined => (env[name] === "" ? undefined : env[name]);
  const url = urlOf(given ?? setting("POSTHORN_URL") ?? defaults.url);
  const isHere = isLoopback(url.hostname);
  const ready = setting("POSTHORN_ADMIN_PASSWORD");
  const file = passwordFile ?? (ready === undefined ? setting("POSTHORN_ADMIN_PASSWORD_FILE") : undefined);
  const password = file === undefined ? (ready ?? (isHere ? defaults.password : "")) : passwordIn(file);
  if (password === "") {
    throw new CommandFailure(EXIT.unauthorized, "no admin password: set POSTHORN_ADMIN_PASSWORD or give --password-file");
  }
  if (url.protocol === "http:" && !isHere) warn(`the password for ${url.host} goes over the network without TLS`);
  return { url, password };
};
