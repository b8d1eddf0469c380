/** Talks to the admin API of a running server, and turns everything that can go wrong into one clear sentence. */
import type { ReadableStream } from "node:stream/web";
import type { Connection } from "./connection.ts";
import { CommandFailure, EXIT } from "./failure.ts";

/** Values of a query; undefined ones are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** `more`: there are items beyond those asked for. */
export type Listed<Item> = { readonly items: readonly Item[]; readonly more: boolean };

type ListAnswer<Item> = { readonly items: readonly Item[]; readonly next: string | null };

export type Client = {
  readonly get: <Answer>(path: string, query?: Query) => Promise<Answer>;
  readonly post: <Answer>(path: string, body: unknown) => Promise<Answer>;
  readonly remove: <Answer>(path: string) => Promise<Answer>;
  readonly download: (path: string) => Promise<Uint8Array>;
  /** Items of a list, at most `limit`, over as many pages as that takes. */
  readonly list: <Item>(path: string, query: Query, limit: number) => Promise<Listed<Item>>;
  /** Lines of an answer without end. */
  readonly lines: (path: string, query: Query) => AsyncIterable<string>;
};

/** Rows of one request. */
const PAGE = 1_000;

/** Characters of one line: an event has no more than four million. */
const MAX_LINE = 16_000_000;

const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  // Several addresses were tried (localhost is two): they failed alike.
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
  return first instanceof Error ? first.message : String(first);
};

type ErrorBody = { readonly error?: { readonly code?: unknown; readonly message?: unknown } } | null;

const failureOf = (status: number, text: string, { url }: Connection): CommandFailure => {
  let body: ErrorBody = null;
  try {
    body = JSON.parse(text) as ErrorBody;
  } catch {
    // not from Posthorn: said below
  }
  const message = body?.error?.message;
  if (typeof message !== "string") {
    const said = /^[^<\r\n]{1,200}/u.exec(text.trim())?.[0];
    const hint = said === undefined ? "" : ` (${said})`;
    return new CommandFailure(
      EXIT.unreachable,
      `${url.href} answered ${status}, and not as Posthorn's admin API does${hint}: is the URL right?`,
    );
  }
  if (status === 401 || status === 403 || status === 429) return new CommandFailure(EXIT.unauthorized, message);
  return new CommandFailure(EXIT.refused, message);
};

/** Lines of text that comes in pieces. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const [first = "", ...others] = decoder.decode(chunk, { stream: true }).split("\n");
    rest += first;
    for (const other of others) {
      yield rest;
      rest = other;
    }
    if (rest.length > MAX_LINE) throw new Error("a line without end");
  }
}

/** `signal` ends what is under way, as when nobody reads the output any more. */
export const adminClient = (connection: Connection, signal: AbortSignal): Client => {
  const authorization = `Basic ${Buffer.from(`admin:${connection.password}`).toString("base64")}`;

  const ask = async (method: string, path: string, query: Query = {}, body?: unknown): Promise<Response> => {
    const url = new URL(`admin/api/v0${path}`, connection.url);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, `${value}`);
    const headers = { authorization, ...(body === undefined ? {} : { "content-type": "application/json" }) };
    let response: Response;
    try {
      // The password must not follow a redirect to somewhere else.
      const init: RequestInit = { method, headers, redirect: "manual", signal };
      response = await fetch(url, body === undefined ? init : { ...init, body: JSON.stringify(body) });
    } catch (error) {
      const { href } = connection.url;
      throw new CommandFailure(EXIT.unreachable, `no server at ${href}: ${reasonOf(error)}`, { cause: error });
    }
    if (!response.ok) throw failureOf(response.status, await response.text().catch(() => ""), connection);
    return response;
  };

  /** The whole body, which may be cut off on its way. */
  const bodyOf = async (response: Response): Promise<Uint8Array> => {
    try {
      return new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      throw new CommandFailure(EXIT.unreachable, `the answer of ${connection.url.href} was cut off: ${reasonOf(error)}`, { cause: error });
    }
  };

  const jsonOf = async <Answer>(response: Response): Promise<Answer> => {
    const text = new TextDecoder().decode(await bodyOf(response));
    try {
      return JSON.parse(text) as Answer;
    } catch {
      throw failureOf(response.status, text, connection);
    }
  };

  const list = async <Item>(path: string, query: Query, limit: number): Promise<Listed<Item>> => {
    const items: Item[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await jsonOf<ListAnswer<Item>>(
        await ask("GET", path, { ...query, cursor, limit: Math.min(PAGE, limit - items.length) }),
      );
      items.push(...page.items);
      if (page.next === null || items.length >= limit) return { items, more: page.next !== null };
      cursor = page.next;
    }
  };

  return {
    get: async (path, query) => jsonOf(await ask("GET", path, query)),
    post: async (path, body) => jsonOf(await ask("POST", path, {}, body)),
    remove: async (path) => jsonOf(await ask("DELETE", path)),
    download: async (path) => bodyOf(await ask("GET", path)),
    list,
    lines: async function* (path, query) {
      const { body } = await ask("GET", path, query);
      if (body !== null) yield* linesOf(body as ReadableStream<Uint8Array>);
    },
  };
};
