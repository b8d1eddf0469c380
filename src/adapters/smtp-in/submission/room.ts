/**
 * Room in memory for messages that are coming in. A message is in memory until it is stored, and many clients can send
 * large ones at the same time: what is more than there is room for is turned away for now instead of taking the server down.
 */
export type Room = {
  /** Whether so many octets would fit now. */
  readonly fits: (octets: number) => boolean;
  /** Takes room; false = there is none, and nothing was taken. */
  readonly take: (octets: number) => boolean;
  readonly give: (octets: number) => void;
};

/** Room for so many octets. */
export const roomFor = (capacity: number): Room => {
  let taken = 0;
  const fits = (octets: number): boolean => taken + octets <= capacity;
  return {
    fits,
    take: (octets) => {
      if (!fits(octets)) return false;
      taken += octets;
      return true;
    },
    give: (octets) => {
      taken -= octets;
    },
  };
};
