/** What an application and an operator send to a server: calls of the webapi and of the admin API. */

export type ApiAnswer = { readonly status: number; readonly body: unknown };

export type Login = { readonly user: string; readonly password: string };

const authorization = ({ user, password }: Login): string => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

const answerOf = async (response: Response): Promise<ApiAnswer> => {
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  return { status: response.status, body: isJson ? JSON.parse(text) : text };
};

/** Calls a method of the webapi. */
export const webapiCall = async (base: string, login: Login, method: string, request: unknown): Promise<ApiAnswer> =>
  answerOf(
    await fetch(`${base}/webapi/v0/${method}`, {
      method: "POST",
      headers: { Authorization: authorization(login) },
      body: new URLSearchParams({ request: JSON.stringify(request) }),
    }),
  );

/** Calls the admin API: a path below `/admin/api/v0`. */
export const adminCall = async (base: string, password: string, method: string, path: string, body?: unknown): Promise<ApiAnswer> =>
  answerOf(
    await fetch(`${base}/admin/api/v0${path}`, {
      method,
      headers: {
        Authorization: authorization({ user: "admin", password }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
