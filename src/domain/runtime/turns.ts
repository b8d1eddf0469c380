/** One turn at a time for each stream, in the order in which they were asked for. */

export type Turns = {
  /** Runs a turn when those before it have ended; whether they succeeded is their own callers' business. */
  readonly take: <Result>(stream: string, turn: () => Promise<Result>) => Promise<Result>;
  readonly isTaken: (stream: string) => boolean;
};

export const serialTurns = (): Turns => {
  const last = new Map<string, Promise<unknown>>();
  return {
    take: async (stream, turn) => {
      const before = last.get(stream);
      const mine = before === undefined ? turn() : before.then(turn, turn);
      last.set(stream, mine);
      try {
        return await mine;
      } finally {
        if (last.get(stream) === mine) last.delete(stream);
      }
    },
    isTaken: (stream) => last.has(stream),
  };
};
