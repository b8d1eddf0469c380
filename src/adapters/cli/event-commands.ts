/** `posthorn events …` and `posthorn views status`: the log as it is, and how far the views have read it. */
import type { Command } from "commander";
import { countArgument, positionArgument } from "./arguments.ts";
import type { Client, Query } from "./client.ts";
import { CommandFailure, EXIT } from "./failure.ts";
import { factsText, jsonText } from "./output.ts";
import type { Session } from "./session.ts";
import { eventLine, type ToldEvent } from "./stream-text.ts";

const PAGE = 1_000;

type LogOptions = {
  readonly after?: number;
  readonly types?: string;
  readonly streamPrefix?: string;
  readonly limit: number;
  readonly follow?: true;
};

type EventPage = { readonly items: readonly ToldEvent[]; readonly next: number; readonly head: number };

/** Events after a position, at most `limit`, over as many requests as that takes. */
async function* eventsOf(client: Client, after: number, limit: number, query: Query): AsyncGenerator<ToldEvent> {
  let left = limit;
  for (let next = after; left > 0;) {
    const page = await client.get<EventPage>("/events", { ...query, after: next, limit: Math.min(PAGE, left) });
    yield* page.items;
    left -= page.items.length;
    next = page.next;
    if (next >= page.head) return;
  }
}

/** Prints events as they are stored, until somebody ends it. */
const follow = async (session: Session, command: Command, query: Query): Promise<void> => {
  const isJson = session.wantsJson(command);
  let last: number | undefined;
  try {
    for await (const line of session.client(command).lines("/events", { ...query, follow: true })) {
      if (line === "") continue; // a sign of life
      const told = JSON.parse(line) as ToldEvent;
      session.print(`${isJson ? line : eventLine(told)}\n`);
      last = told.position;
    }
  } catch (error) {
    if (session.signal.aborted) return;
    if (error instanceof CommandFailure) throw error;
    throw new CommandFailure(EXIT.unreachable, broken(last), { cause: error });
  }
  if (!session.signal.aborted) throw new CommandFailure(EXIT.unreachable, broken(last));
};

const broken = (last: number | undefined): string =>
  `the server is gone${last === undefined ? "" : `; to go on from here: --follow --after ${last}`}`;

export const addEventCommands = (program: Command, session: Session): void => {
  const events = program.command("events").description("the log of everything that happened");

  events
    .command("stream")
    .description("print the events of one stream, such as message-123 or holdrules")
    .argument("<name>", "its name")
    .action(async (name: string, _options: unknown, command: Command) => {
      const { items } = await session.client(command).get<{ readonly items: readonly ToldEvent[] }>(`/streams/${encodeURIComponent(name)}`);
      session.printAnswer(command, items, (all) => all.map((told) => `${eventLine(told)}\n`).join(""));
    });

  events
    .command("log")
    .description("print events in the order in which they were stored")
    .option("--after <position>", "those after this position; else from the first, or with --follow from now", positionArgument)
    .option("--types <list>", "only of these types, with commas between")
    .option("--stream-prefix <text>", "only of streams whose name begins so")
    .option("--limit <n>", "at most so many, without --follow", countArgument, PAGE)
    .option("--follow", "go on with events as they are stored")
    .addHelpText("after", "\nWith --json every event is one line.")
    .action(async ({ after, types, streamPrefix, limit, follow: goesOn }: LogOptions, command: Command) => {
      const query = { types, streamPrefix };
      if (goesOn === true) {
        await follow(session, command, { ...query, after });
        return;
      }
      const isJson = session.wantsJson(command);
      for await (const told of eventsOf(session.client(command), after ?? 0, limit, query)) {
        session.print(`${isJson ? JSON.stringify(told) : eventLine(told)}\n`);
      }
    });
};

type ViewsStatus = { readonly position: number; readonly head: number; readonly lag: number; readonly digest?: string };

/** Adds `status` to the command that has what concerns views. */
export const addViewsStatus = (views: Command, session: Session): void => {
  views
    .command("status")
    .description("how far the views have read the log")
    .option("--digest", "with the digest of all that they say; reads them whole")
    .action(async ({ digest }: { readonly digest?: true }, command: Command) => {
      const status = await session.client(command).get<ViewsStatus>("/views", { digest });
      session.print(
        session.wantsJson(command)
          ? jsonText(status)
          : factsText([
              ["position", status.position],
              ["head of the log", status.head],
              ["behind", status.lag],
              ["digest", status.digest],
            ]),
      );
    });
};
