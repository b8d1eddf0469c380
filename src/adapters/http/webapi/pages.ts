/** The pages of the webapi: a list of its methods, and for each method an example that can be changed and called. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { escapeHtml } from "../html.ts";
import type { AnyMethod } from "./method.ts";

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
code, pre, textarea { font: .875rem/1.5 ui-monospace, monospace; }
textarea, pre { width: 100%; padding: .75rem; border: 1px solid var(--line); border-radius: .375rem; background: var(--soft); color: inherit; }
pre { overflow: auto; margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); }
fieldset { border: 0; margin: 0; padding: 0; }
button { font: inherit; padding: .4rem 1.25rem; margin: .75rem .5rem 0 0; cursor: pointer; }
li { margin: .35rem 0; }
`;

/** Calls the method of the page. The browser asks for the login when the server does, and keeps it. */
const SCRIPT = `
const form = document.querySelector("form");
const answer = document.querySelector("#answer");
const fields = form.querySelector("fieldset");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = new URLSearchParams({ request: form.elements.request.value });
  fields.disabled = true;
  answer.textContent = "...";
  try {
    const response = await fetch(form.action, { method: "POST", body });
    const text = await response.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch {}
    answer.textContent = response.status + " " + response.statusText + "\\n" + shown;
  } catch (error) {
    answer.textContent = "The call failed: " + error.message;
  } finally {
    fields.disabled = false;
  }
});
`;

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Content-Security-Policy of the pages: their own style and script, by hash, and calls to this server alone. */
export const PAGE_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src ${hash(STYLE)}`,
  `script-src ${hash(SCRIPT)}`,
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const page = (title: string, body: string, script = ""): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
${script === "" ? "" : `<script>${script}</script>`}
</body>
</html>
`;

type JsonSchema = {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly additionalProperties?: JsonSchema | boolean;
};

/** Type of a field in a few words, such as `[{Name, Address}]`. */
const typeText = (schema: JsonSchema): string => {
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(" or ");
  if (schema.prefixItems !== undefined) return `[${schema.prefixItems.map(typeText).join(", ")}]`;
  if (schema.type === "array") return `[${typeText(schema.items ?? {})}, …]`;
  if (schema.properties !== undefined) return `{${Object.keys(schema.properties).join(", ")}}`;
  if (schema.type === "object") return "{string: string}";
  return [schema.type ?? "any"].flat().join(" or ");
};

const fieldTable = (schema: z.ZodType, io: "input" | "output"): string => {
  const { properties = {} } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as JsonSchema;
  const rows = Object.entries(properties).map(
    ([name, field]) =>
      `<tr><td><code>${escapeHtml(name)}</code></td><td><code>${escapeHtml(typeText(field))}</code></td><td>${escapeHtml(field.description ?? "")}</td></tr>`,
  );
  return rows.length === 0 ? "<p>No fields.</p>" : `<table><tr><th>Field</th><th>Type</th><th></th></tr>${rows.join("\n")}</table>`;
};

const pretty = (value: unknown): string => escapeHtml(JSON.stringify(value, null, 2));

const errorList = (method: AnyMethod): string => {
  const own = method.errors.map(([code, when]) => `<tr><td><code>${code}</code></td><td>${escapeHtml(when)}</td></tr>`);
  return `<table>${own.join("\n")}
<tr><td><code>user</code></td><td>something else that the caller can mend; the message says what</td></tr>
<tr><td><code>protocol</code></td><td>the request is not a form with a JSON object of these fields in <code>request</code></td></tr>
<tr><td><code>server</code></td><td>this server is out of order</td></tr></table>`;
};

/** The list of methods; `root` is the path under which they are. */
export const indexPage = (methods: readonly AnyMethod[], root: string): string =>
  page(
    "Posthorn webapi",
    `<h1>Posthorn webapi, version 0</h1>
<p>Send messages, read those that come in, and manage the suppression list over HTTP. To call a method, POST a form to its address with the request
as JSON in the field <code>request</code>, and log in with HTTP basic authentication: an email address and its account's
password. The answer is JSON: status 200, or 400 with <code>Code</code> and <code>Message</code>.</p>
<pre>curl --user you@example.org --data request='{"To": [{"Address": "customer@example.com"}], "Text": "hello"}' …${escapeHtml(root)}Send</pre>
<h2>Methods</h2>
<ul>
${methods.map(({ name, summary }) => `<li><a href="${escapeHtml(root + name)}">${name}</a>: ${escapeHtml(summary)}</li>`).join("\n")}
</ul>`,
  );

/** The page of one method. */
export const methodPage = (method: AnyMethod, root: string): string => {
  const example = pretty(method.exampleRequest);
  return page(
    `${method.name} - Posthorn webapi`,
    `<p><a href="${escapeHtml(root)}">Methods</a></p>
<h1>${method.name}</h1>
<p>${escapeHtml(method.summary)}</p>
<h2>Request</h2>
<form method="post" action="${escapeHtml(root + method.name)}"><fieldset>
<textarea name="request" rows="${Math.min(30, example.split("\n").length + 1)}" spellcheck="false" aria-label="Request as JSON">${example}</textarea>
<button type="submit">Call</button><button type="reset">Reset</button>
</fieldset></form>
<h2>Answer</h2>
<pre id="answer" aria-live="polite">${method.octets === undefined ? pretty(method.exampleAnswer) : escapeHtml(method.octets.example)}</pre>
<h2>Fields of the request</h2>
<p>All may be left out or null; names match without regard to case.</p>
${fieldTable(method.request, "input")}
${method.octets === undefined ? `<h2>Fields of the answer</h2>\n${fieldTable(method.answer, "output")}` : `<h2>The answer</h2>\n<p>${escapeHtml(method.octets.what)} Errors are JSON.</p>`}
<h2>Error codes</h2>
${errorList(method)}`,
    SCRIPT,
  );
};
