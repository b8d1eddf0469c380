/** A disk of a few megabytes, which only root may mount on Linux: to be filled. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type SmallDisk = {
  readonly path: string;
  /** Leaves so many octets free. */
  readonly fill: (freeOctets: number) => void;
  /** Takes away what `fill` put there. */
  readonly makeRoom: () => void;
  readonly remove: () => void;
};

/** Undefined for those who may not mount one. */
export const smallDisk = (megabytes: number): SmallDisk | undefined => {
  const path = mkdtempSync(join(tmpdir(), "posthorn-disk-"));
  const size = `size=${megabytes}m`;
  if (process.platform !== "linux" || spawnSync("mount", ["-t", "tmpfs", "-o", size, "posthorn-test", path]).status !== 0) {
    rmSync(path, { recursive: true, force: true });
    return undefined;
  }
  const filler = join(path, "filler");
  return {
    path,
    fill: (freeOctets) => {
      const { bavail, bsize } = statfsSync(path);
      writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - freeOctets)), { flag: "a" });
    },
    makeRoom: () => {
      rmSync(filler, { force: true });
    },
    remove: () => {
      spawnSync("umount", [path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
};
