/** How much may be on its way at once: whoever sends more waits until enough of it has arrived. */

export type Room = {
  /** Counts what is sent; resolves when there is room for more. */
  readonly take: (amount: number) => Promise<void>;
  /** Counts what has arrived. */
  readonly free: (amount: number) => void;
  /** Nothing will arrive any more: those who wait, and who come later, get the error. */
  readonly close: (error: Error) => void;
};

type Waiting = { readonly resolve: () => void; readonly reject: (error: Error) => void };

export const room = (most: number): Room => {
  let taken = 0;
  let waiting: Waiting[] = [];
  let closed: Error | undefined;

  return {
    take: (amount) => {
      if (closed !== undefined) return Promise.reject(closed);
      taken += amount;
      if (taken < most) return Promise.resolve();
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
      });
    },
    free: (amount) => {
      taken -= amount;
      if (taken >= most) return;
      for (const { resolve } of waiting) resolve();
      waiting = [];
    },
    close: (error) => {
      closed ??= error;
      for (const { reject } of waiting) reject(closed);
      waiting = [];
    },
  };
};
