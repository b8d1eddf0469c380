/** Random octets from the operating system, fetched many at a time: the call costs more than the octets. */
import { randomBytes } from "node:crypto";

const POOL_OCTETS = 8_192;

/** So many random octets that nobody else gets. */
export type RandomOctets = (size: number) => Buffer;

/** A source with a pool of its own. Octets that were handed out are wiped from the pool. */
export const pooledRandom = (): RandomOctets => {
  let pool = Buffer.alloc(0);
  return (size) => {
    if (size > POOL_OCTETS / 4) return randomBytes(size);
    if (pool.byteLength < size) pool = randomBytes(POOL_OCTETS);
    const octets = Buffer.from(pool.subarray(0, size));
    pool.fill(0, 0, size);
    pool = pool.subarray(size);
    return octets;
  };
};
