/**
 * The DNS as the checks of one message may use it: so many questions and so much time, whoever is checked and however its
 * records are laid out. Afterwards every further question fails as one that nobody answered.
 */
import type { CancelTimer, Clock } from "../../domain/clock.ts";
import type { RecordLookups, RecordType } from "../dns/record-lookups.ts";

/** What mailauth asks with: resolves as `dns.resolve` does, and rejects with its codes. */
export type AskDns = (name: string, type: string) => Promise<string[][] | string[]>;

export type AskedDns = {
  readonly ask: AskDns;
  /** Asks beforehand what will be asked later. */
  readonly prepare: (name: string, type: RecordType) => void;
  /** From here on so much time is left. */
  readonly within: (ms: number) => void;
  /** Everything still open fails now. */
  readonly end: () => void;
};

/** SPF alone may ask 10 questions with 10 more for each MX; honest senders need a dozen in all. */
const MAX_QUESTIONS = 80;

const TYPES: ReadonlySet<string> = new Set<RecordType>(["TXT", "MX", "A", "AAAA", "PTR"]);
const CODES = { noDomain: "ENOTFOUND", noData: "ENODATA", failed: "ETIMEOUT" } as const;

const failure = (code: string): Error => Object.assign(new Error(`DNS: ${code}`), { code });

/** For one message. Equal questions are asked once. */
export const askedDns = (lookups: RecordLookups, clock: Clock): AskedDns => {
  const asked = new Map<string, Promise<string[][] | string[]>>();
  let cancel: CancelTimer = () => undefined;
  let isOver = false;
  let giveUp = (): void => undefined;
  const over = new Promise<never>((_, reject) => {
    giveUp = () => {
      isOver = true;
      reject(failure("ETIMEOUT"));
    };
  });
  over.catch(() => undefined);

  const question = async (name: string, type: RecordType): Promise<string[][] | string[]> => {
    const lookup = await Promise.race([lookups(name, type), over]);
    if (lookup.status !== "found") throw failure(CODES[lookup.status]);
    // A copy: mailauth sorts what it gets.
    return [...lookup.records] as string[][];
  };

  const ask: AskDns = (name, type) => {
    const key = `${type} ${name.toLowerCase()}`;
    const known = asked.get(key);
    if (known !== undefined) return known;
    if (isOver || asked.size >= MAX_QUESTIONS || !TYPES.has(type)) return Promise.reject(failure("ETIMEOUT"));
    const answer = question(name, type as RecordType);
    answer.catch(() => undefined);
    asked.set(key, answer);
    return answer;
  };

  return {
    ask,
    prepare: (name, type) => {
      ask(name, type).catch(() => undefined);
    },
    within: (ms) => {
      cancel();
      cancel = clock.timer(clock.now() + ms, giveUp);
    },
    end: () => {
      cancel();
      giveUp();
    },
  };
};
