/** A route of the admin API: method, path, the shapes of what it takes, and what it does with that. */
import { z } from "zod";
import { refused, type Answer, type Refusal } from "./answer.ts";

export type Method = "GET" | "POST" | "DELETE";

/** A request before anything is known about it. `body` is parsed JSON, undefined for methods without one. */
export type RawRequest = {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly header: (name: string) => string;
};

export type Route = {
  readonly method: Method;
  /** Below the API's root, parameters as `:name`. */
  readonly path: string;
  readonly answer: (request: RawRequest) => Answer | Promise<Answer>;
};

/** The first thing wrong with a value, in words: `filter.to: expected user@domain or @domain`. */
const firstIssue = (what: string, { issues }: z.ZodError): Refusal => {
  const [issue] = issues;
  const path = issue?.path.map(String).join(".") ?? "";
  return refused("badRequest", `${path === "" ? what : path}: ${issue?.message ?? "is not valid"}`.slice(0, 500));
};

/** One value for each name: a name given twice is a mistake, not a list. */
const single = (query: URLSearchParams): Readonly<Record<string, string>> | Refusal => {
  const values = new Map<string, string>();
  for (const [name, value] of query) {
    if (values.has(name)) return refused("badRequest", `the parameter ${name.slice(0, 50)} stands there twice`);
    values.set(name, value);
  }
  return Object.fromEntries(values);
};

const isRefusal = (value: object): value is Refusal => "kind" in value && value.kind === "refused";

const nothing = z.strictObject({});

type Shapes<Params, Query, Body> = {
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
};

type Taken<Params, Query, Body> = {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly header: (name: string) => string;
};

/** Puts a route together; parameters that it does not name are refused, so that a mistyped filter is never no filter. */
export const route = <Params = object, Query = object, Body = undefined>(
  method: Method,
  path: string,
  { params, query, body }: Shapes<Params, Query, Body>,
  handle: (taken: Taken<Params, Query, Body>) => Answer | Promise<Answer>,
): Route => ({
  method,
  path,
  answer: (request) => {
    const values = single(request.query);
    if (isRefusal(values)) return values;
    const inPath = (params ?? nothing).safeParse(request.params);
    if (!inPath.success) return refused("notFound", "there is nothing with such a name");
    const inQuery = (query ?? nothing).safeParse(values);
    if (!inQuery.success) return firstIssue("query", inQuery.error);
    const inBody = (body ?? z.undefined()).safeParse(request.body);
    if (!inBody.success) return firstIssue("body", inBody.error);
    return handle({
      params: inPath.data as Params,
      query: inQuery.data as Query,
      body: inBody.data as Body,
      header: request.header,
    });
  },
});
