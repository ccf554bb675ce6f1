/**
 * Overlay mounts by fuse-overlayfs, which shows other owners than the files have: the kernel's own overlay cannot, and
 * does not let a user's namespace map the owners of the disk below it. The helper lives as long as its mount.
 */
import { type KeptId, keepingMap } from '../../../oci/kept-id.ts';
import { run } from '../../../sys/exec/run.ts';
import { ownIdCounts } from '../../../sys/idmap/own-ids.ts';
import { cannotKeepIds, idNotMapped } from '../../storage-errors.ts';

const TIMEOUT_MS = 10_000;

/** Directories are relative to `dir`, which may have a name that does not fit into mount options. */
export interface FuseMount {
  readonly dir: string;
  readonly target: string;
  /** Topmost first. */
  readonly lower: readonly string[];
  readonly upper: string;
  readonly work: string;
  readonly kept: KeptId;
}

/** Returns once the file system is there. `unavailable` with the cure when the helper is missing or refuses. */
export async function mountKeepingIds(mount: FuseMount): Promise<void> {
  const { uids, gids } = await ownIdCounts();
  if (mount.kept.uid >= uids || mount.kept.gid >= gids) throw idNotMapped(mount.kept, uids);
  const options = [
    `lowerdir=${mount.lower.join(':')}`,
    `upperdir=${mount.upper}`,
    `workdir=${mount.work}`,
    'allow_other',
    `uidmapping=${mappingText(mount.kept.uid, uids)}`,
    `gidmapping=${mappingText(mount.kept.gid, gids)}`,
  ];
  const args = ['-o', options.join(','), mount.target];
  try {
    const done = await run(
      { file: 'fuse-overlayfs', args, cwd: mount.dir },
      { timeoutMs: TIMEOUT_MS },
    );
    if (done.exitCode !== 0) throw new Error(done.stderr.trim() || `exit code ${done.exitCode}`);
  } catch (error) {
    throw cannotKeepIds(error);
  }
}

/** `ID-ON-DISK:ID-SHOWN:SIZE` apart by colons: files belong to the container's ids, and show the engine's. */
function mappingText(kept: number, count: number): string {
  return keepingMap(kept, count)
    .flatMap(({ containerID, hostID, size }) => [containerID, hostID, size])
    .join(':');
}
