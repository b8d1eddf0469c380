/** What a scenario is, and what it is given to work with. */
import type { Cleanup } from "./cleanup.ts";
import type { Figure } from "./figures.ts";
import type { Postfix } from "./processes/postfix.ts";
import type { PosthornOptions } from "./processes/posthorn.ts";
import type { SmtpSink } from "./processes/smtp-sink.ts";

export type Bench = {
  /** Fewer messages and one round: shows that everything works, and figures that are only roughly right. */
  readonly quick: boolean;
  /** How often each measurement is made; figures are medians. */
  readonly rounds: number;
  /** Running beside, when it was asked for and could be started. */
  readonly postfix: Postfix | undefined;
  /** Where all mail goes. */
  readonly sink: SmtpSink;
  readonly cleanup: Cleanup;
  /** Servers leave a CPU profile here when they stop. */
  readonly profileDirectory: string | undefined;
  /** Says what is going on. */
  readonly progress: (text: string) => void;
  /** Something could not be measured, or not as it should be: printed under the table. */
  readonly caution: (text: string) => void;
};

export type Scenario = {
  /** As `--only` names it. */
  readonly name: string;
  readonly about: string;
  readonly run: (bench: Bench) => Promise<readonly Figure[]>;
};

/** What every Posthorn of the benchmark is started with. */
export const serverOptions = ({ cleanup, sink, profileDirectory, caution }: Bench): PosthornOptions => ({
  cleanup,
  onCrash: caution,
  smtpPort: sink.port,
  ...(profileDirectory === undefined ? {} : { profileDirectory }),
});

/** Measurements of both sides in turns, so that what else happens on the machine hits both alike. */
export const inTurns = async <Own, Peer>(
  rounds: number,
  own: () => Promise<Own>,
  peer: (() => Promise<Peer>) | undefined,
): Promise<{ readonly own: readonly Own[]; readonly peer: readonly Peer[] }> => {
  const results: { own: Own[]; peer: Peer[] } = { own: [], peer: [] };
  for (let round = 0; round < rounds; round += 1) {
    results.own.push(await own());
    if (peer !== undefined) results.peer.push(await peer());
  }
  return results;
};
