/** Keeps sessions open for a moment after a delivery, so that a busy destination is not dialled and greeted per message. */
import type { Session } from "./session.ts";

export type KeptLimits = {
  /** Sessions kept in all. */
  readonly maxIdle: number;
  /** How long one is kept without work. */
  readonly idleMs: number;
  /** Messages sent through one before it is closed. */
  readonly maxMessages: number;
};

export type KeptSessions = {
  /** A session of this key that was open a moment ago, the last used first; the caller gives it back. */
  readonly take: (key: string) => Session | undefined;
  /** Takes a session back: keeps it or closes it. `clean`: no transaction is left open in it. */
  readonly give: (session: Session, clean: boolean) => void;
  /** Closes what is kept, and from now on what is given. Resolves when all these are closed. */
  readonly close: () => Promise<void>;
};

type Idle = { readonly session: Session; readonly since: number };

/** Closes sessions and knows when all are. */
const closer = (): { readonly quit: (session: Session) => void; readonly done: () => Promise<unknown> } => {
  const closing = new Set<Promise<void>>();
  return {
    quit: (session) => {
      const ended = session.quit();
      closing.add(ended);
      void ended.then(() => closing.delete(ended));
    },
    done: () => Promise.all(closing),
  };
};

/** Idle sessions by key, the last used at the end of its list. */
const idleSessions = (): {
  readonly size: () => number;
  readonly push: (session: Session) => void;
  readonly pop: (key: string) => Session | undefined;
  /** Removes those that are idle since `before` or earlier, and the dead. */
  readonly prune: (before: number) => readonly Session[];
} => {
  const lists = new Map<string, Idle[]>();
  let count = 0;
  return {
    size: () => count,
    push: (session) => {
      const entry = { session, since: performance.now() };
      const list = lists.get(session.key);
      if (list === undefined) lists.set(session.key, [entry]);
      else list.push(entry);
      count += 1;
    },
    pop: (key) => {
      const session = lists.get(key)?.pop()?.session;
      if (session !== undefined) count -= 1;
      return session;
    },
    prune: (before) => {
      const gone: Session[] = [];
      for (const [key, list] of lists) {
        const stay = list.filter(({ session, since }) => session.alive() && since > before);
        if (stay.length < list.length) gone.push(...list.filter((entry) => !stay.includes(entry)).map(({ session }) => session));
        if (stay.length === 0) lists.delete(key);
        else lists.set(key, stay);
      }
      count -= gone.length;
      return gone;
    },
  };
};

export const keptSessions = ({ maxIdle, idleMs, maxMessages }: KeptLimits): KeptSessions => {
  const idle = idleSessions();
  const { quit, done } = closer();
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  /** Runs only while something is kept. */
  const watch = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      idle.prune(performance.now() - idleMs).forEach(quit);
      if (idle.size() > 0) watch();
    }, idleMs / 2).unref();
  };

  const keep = (session: Session): void => {
    if (closed || idle.size() >= maxIdle || session.accepted() >= maxMessages || !session.alive()) {
      quit(session);
      return;
    }
    idle.push(session);
    watch();
  };

  return {
    take: (key) => {
      let session = idle.pop(key);
      while (session !== undefined && !session.alive()) session = idle.pop(key);
      return session;
    },
    give: (session, clean) => {
      if (clean || !session.alive()) keep(session);
      else {
        void session.reset().then((ready) => {
          (ready ? keep : quit)(session);
        });
      }
    },
    close: async () => {
      closed = true;
      clearTimeout(timer);
      idle.prune(Infinity).forEach(quit);
      await done();
    },
  };
};
