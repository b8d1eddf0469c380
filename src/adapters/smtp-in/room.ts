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

/** What one message takes of a room. */
export type Share = {
  /** As with the room, for more octets of the message. */
  readonly take: (octets: number) => boolean;
  /** Gives everything back. To be called when the message is stored, or is not kept any more; again does no harm. */
  readonly give: () => void;
};

/** What a client is told whose message does not fit. */
export const NO_ROOM = { code: 452, enhancedCode: "4.3.1", text: "Too many large messages at once, try again later" } as const;

/** Room for so many octets. `whole`: the room of which this one is a part; what is taken here is taken there too. */
export const roomFor = (capacity: number, whole?: Room): Room => {
  let taken = 0;
  const fitsHere = (octets: number): boolean => taken + octets <= capacity;
  return {
    fits: (octets) => fitsHere(octets) && (whole?.fits(octets) ?? true),
    take: (octets) => {
      if (!fitsHere(octets) || whole?.take(octets) === false) return false;
      taken += octets;
      return true;
    },
    give: (octets) => {
      taken -= octets;
      whole?.give(octets);
    },
  };
};

/** The share of one message, empty as yet. */
export const shareOf = (room: Room): Share => {
  let taken = 0;
  return {
    take: (octets) => {
      if (!room.take(octets)) return false;
      taken += octets;
      return true;
    },
    give: () => {
      room.give(taken);
      taken = 0;
    },
  };
};
