/**
 * A disk that keeps no more than it must: after a power loss a file holds what had been written when it was last synced,
 * and of what was written since anything, nothing or a part (POSIX fsync promises no more). A new name lasts once its
 * directory was synced.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Deed } from "./disk-trace.ts";
import type { Seeded } from "./seeded.ts";

type Change = Extract<Deed, { kind: "write" | "truncate" }>;

/** Content that grows; `bytes` has room to spare, of zeros. */
type Image = { bytes: Buffer; size: number };

type File = {
  /** What is certainly on the disk. */
  readonly durable: Image;
  /** Written since, in order. */
  pending: Change[];
  /** Whether the directory was synced since the name was made. */
  isNameDurable: boolean;
  /** Whether the name was removed; certain when the directory is synced. */
  isUnlinked: boolean;
};

/** What a power loss may take away besides: all of it, or a part by chance (writes may also be torn in sectors). */
export type Loss = "all" | Seeded;

export type DiskModel = {
  readonly apply: (deed: Deed) => void;
  /** Writes the files as they may be after a power loss now. */
  readonly afterPowerLoss: (directory: string, loss: Loss) => void;
  /** A file as the process itself sees it; undefined when there is none. */
  readonly seen: (path: string) => Buffer | undefined;
};

const SECTOR = 512;

const change = (image: Image, by: Change): void => {
  if (by.kind === "truncate") {
    if (by.size < image.size) image.bytes.fill(0, by.size, image.size);
    else reserve(image, by.size);
    image.size = by.size;
    return;
  }
  const end = by.offset + by.data.length;
  reserve(image, end);
  by.data.copy(image.bytes, by.offset);
  image.size = Math.max(image.size, end);
};

const reserve = (image: Image, size: number): void => {
  if (size <= image.bytes.length) return;
  const larger = Buffer.alloc(Math.max(65_536, size * 2));
  image.bytes.copy(larger);
  image.bytes = larger;
};

const content = ({ bytes, size }: Image): Buffer => bytes.subarray(0, size);

const copy = (image: Image): Image => ({ bytes: Buffer.from(image.bytes), size: image.size });

/** Some of the sectors of a write, as a disk that loses power in the middle of it leaves them. */
const torn = (whole: Change, chance: Seeded): readonly Change[] => {
  if (whole.kind === "truncate" || chance.oneIn(2)) return [whole];
  const pieces: Change[] = [];
  for (let at = 0; at < whole.data.length; at += SECTOR) {
    if (chance.oneIn(2)) pieces.push({ ...whole, offset: whole.offset + at, data: whole.data.subarray(at, at + SECTOR) });
  }
  return pieces;
};

export const diskModel = (): DiskModel => {
  const files = new Map<string, File>();
  const fileAt = (path: string): File => {
    const known = files.get(path);
    if (known !== undefined && !known.isUnlinked) return known;
    const file: File = { durable: { bytes: Buffer.alloc(0), size: 0 }, pending: [], isNameDurable: false, isUnlinked: false };
    files.set(path, file);
    return file;
  };

  const syncDirectory = (path: string): void => {
    for (const [name, file] of files) {
      if (dirname(name) !== path) continue;
      if (file.isUnlinked) files.delete(name);
      else file.isNameDurable = true;
    }
  };
  const syncFile = (file: File, begun: number): void => {
    // Only what was written before the sync began is promised by it.
    for (const each of file.pending) if (each.over < begun) change(file.durable, each);
    file.pending = file.pending.filter(({ over }) => over >= begun);
  };

  const apply = (deed: Deed): void => {
    switch (deed.kind) {
      case "create":
        fileAt(deed.path);
        return;
      case "write":
      case "truncate":
        fileAt(deed.path).pending.push(deed);
        return;
      case "sync": {
        const file = files.get(deed.path);
        if (file === undefined) syncDirectory(deed.path);
        else syncFile(file, deed.begun);
        return;
      }
      case "unlink": {
        const file = files.get(deed.path);
        if (file !== undefined) file.isUnlinked = true;
        return;
      }
      case "say":
    }
  };

  return {
    apply,
    afterPowerLoss: (directory, loss) => {
      mkdirSync(directory, { recursive: true });
      for (const [path, { durable, pending, isNameDurable, isUnlinked }] of files) {
        const isThere = loss === "all" ? isNameDurable : isNameDurable === isUnlinked ? loss.oneIn(2) : isNameDurable;
        if (!isThere) continue;
        const image = copy(durable);
        if (loss !== "all") {
          for (const each of pending) if (loss.oneIn(2)) for (const piece of torn(each, loss)) change(image, piece);
        }
        writeFileSync(join(directory, basename(path)), content(image));
      }
    },
    seen: (path) => {
      const file = files.get(path);
      if (file === undefined || file.isUnlinked) return undefined;
      const image = copy(file.durable);
      for (const each of file.pending) change(image, each);
      return content(image);
    },
  };
};
