/** One error for every way in which a store can be out of order, in words for the operator who has to put it right. */

/**
 * - `diskFull`: there is no room; works again as soon as there is.
 * - `readOnly`, `cannotOpen`, `ioError`: permissions, mounts, hardware.
 * - `corrupt`: the file is damaged or not ours.
 * - `newerSchema`: written by a later release.
 * - `inUse`: another process works on it.
 * - `writerStopped`: the thread that writes ended; only a restart helps.
 * - `closed`: this process closed it.
 */
export type TroubleReason =
  "diskFull" | "readOnly" | "cannotOpen" | "ioError" | "corrupt" | "newerSchema" | "inUse" | "writerStopped" | "closed";

/** The store cannot do what it was asked, and nothing was acknowledged. `message` says what is wrong and what helps. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
  readonly reason: TroubleReason;

  constructor(reason: TroubleReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
