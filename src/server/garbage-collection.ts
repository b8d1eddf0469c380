/**
 * How this process collects garbage. Its own defaults are for programs with much memory and many cores; a mail server is
 * to stay small whatever waits in it. Set here and not on the command line, so that it holds however the server is started;
 * only the size of the young generation must be known before: `--max-semi-space-size`, in package.json and the Dockerfile.
 */
import { setFlagsFromString } from "node:v8";

const FLAGS = [
  // By default the heap may grow to four times what was alive when it was last collected: a burst of messages would leave
  // some 100 MB behind for good. Read at each collection.
  "--heap-growing-percent=75",
  // Helping hands cost more processor time than they save waiting, where collections take about a millisecond.
  "--no-parallel-scavenge",
];

/** For all threads; to be called before they are started. */
export const configureGarbageCollection = (): void => {
  for (const flag of FLAGS) setFlagsFromString(flag);
};
