/** The first page: what runs where, and commands that work when pasted. */
import { html, type Html } from "../html.ts";
import { facts, page, table, type PageAnswer } from "./layout.ts";

/** What the first page tells about the server that it is part of. */
export type LocalInfo = {
  readonly version: string;
  /** In the order in which they are shown. `what`: what to use it for, in a few words. */
  readonly listeners: readonly { readonly protocol: string; readonly address: string; readonly port: number; readonly what: string }[];
  readonly login: { readonly address: string; readonly password: string };
  readonly adminPassword: string;
  /** Where events about outgoing messages go; undefined = nowhere. */
  readonly webhookUrl: string | undefined;
  /** Where to tell what arrives; undefined = nowhere. */
  readonly incomingWebhookUrl: string | undefined;
  readonly dataDir: string;
};

/** Where the browser found this page: what commands on the same machine can use as well. */
export type Origin = { readonly host: string; readonly secure: boolean };

/** One word of a POSIX shell, whatever is in it. */
export const shellWord = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** A command that sends one message. */
export const sendCommand = ({ host, secure }: Origin, { address, password }: LocalInfo["login"], to: string, subject: string): string => {
  const request = { To: [{ Address: to }], Subject: subject, Text: "Sent with curl.\n" };
  const scheme = secure ? "https" : "http";
  return [
    // The certificate of local mode is its own.
    `curl ${secure ? "--insecure " : ""}--user ${shellWord(`${address}:${password}`)} ${scheme}://${host}/webapi/v0/Send \\`,
    `  --data-urlencode ${shellWord(`request=${JSON.stringify(request)}`)}`,
  ].join("\n");
};

const SIMULATED: readonly { readonly address: string; readonly effect: string }[] = [
  { address: "temperror@localhost", effect: "fails with 451 and is tried again, eight times over about sixteen hours" },
  { address: "permerror@localhost", effect: "fails for good with 550; the address is suppressed from then on" },
  { address: "timeout@localhost", effect: "gets no answer for an hour" },
  { address: "452@localhost", effect: "fails with the number that it ends in, 400 to 599" },
  { address: "mailfromtemperror@localhost", effect: "fails at MAIL FROM already" },
  { address: "rcpttopermerror@localhost", effect: "fails at RCPT TO already" },
];

const webhooks = ({ webhookUrl, incomingWebhookUrl }: LocalInfo): Html =>
  webhookUrl === undefined && incomingWebhookUrl === undefined
    ? html`<p>None is set. Start with one to be told of what becomes of each message:</p>
        <pre>npm start -- --webhook-url http://localhost:3000/hook</pre>
        <p class="soft">
          or with <code>POSTHORN_WEBHOOK_URL</code> in the environment; <code>--incoming-webhook-url</code> is for what arrives.
        </p>`
    : html`<p>
        ${webhookUrl !== undefined && html`Events about outgoing messages go to <code>${webhookUrl}</code>.`}
        ${incomingWebhookUrl !== undefined && html`Mail that arrives is told to <code>${incomingWebhookUrl}</code>.`} See the
        <a href="/webhooks/retired">calls made</a>.
      </p>`;

const trials = (login: LocalInfo["login"], origin: Origin): Html =>
  html`<h2>Send a message</h2>
    <pre>${sendCommand(origin, login, "you@example.org", "Hello from Posthorn")}</pre>
    <p>It is in <a href="/received">received mail</a> a moment later, and its history under <a href="/retired">retired</a>.</p>

    <h2>See it fail</h2>
    <pre>${sendCommand(origin, login, "temperror@localhost", "Try again")}</pre>
    <p>It waits in the <a href="/queue">queue</a>, with its attempts and the time of the next one. Other addresses fail in other ways:</p>
    ${table(
      [
        { label: "Address", kind: "keep", cell: ({ address }) => html`<code>${address}</code>` },
        { label: "What happens", cell: ({ effect }) => effect },
      ],
      SIMULATED,
      "",
    )}`;

export const startPage = (info: LocalInfo, origin: Origin): PageAnswer => {
  const { login, adminPassword, listeners, dataDir } = info;
  return page(
    "start",
    "Posthorn",
    html`<h1>Posthorn is running</h1>
      <p class="lead">
        Local mode: send whatever you like. Messages go through the real queue and end up <a href="/received">here</a>, none leaves this
        machine.
      </p>

      ${trials(login, origin)}
      <div class="columns">
        <section>
          <h2>Login</h2>
          ${facts([
            ["User", html`<code>${login.address}</code>`],
            ["Password", html`<code>${login.password}</code>`],
            ["Admin", html`<code>admin</code>, password <code>${adminPassword}</code>`],
            ["Data", html`<code>${dataDir}</code>`],
          ])}
        </section>
        <section>
          <h2>Webhook</h2>
          ${webhooks(info)}
        </section>
      </div>

      <h2>What runs where</h2>
      ${table(
        [
          { label: "Protocol", kind: "keep", cell: ({ protocol }) => protocol },
          {
            label: "Address",
            kind: "keep",
            cell: ({ address, port }) => html`<code>${address.includes(":") ? `[${address}]` : address}:${port}</code>`,
          },
          { label: "For", cell: ({ what }) => what },
        ],
        listeners,
        "Nothing listens.",
      )}
      <h2>More</h2>
      <ul class="plain">
        <li><a href="/webapi/v0/">webapi</a>: the methods, with examples to try</li>
        <li><a href="/metrics">metrics</a> for Prometheus, and <a href="/healthz">healthz</a></li>
        <li>
          On the command line: <code>posthorn queue list</code>, <code>posthorn events log --follow</code>, <code>posthorn --help</code>
        </li>
      </ul>`,
  );
};
