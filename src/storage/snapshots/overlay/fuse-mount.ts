/**
 * Overlay mounts by fuse-overlayfs. It works on file systems that the kernel's own overlay refuses, and shows other
 * owners than the files have: the kernel does not let a user's namespace map the owners of the disk below it. The
 * helper lives as long as its mount.
 */
import { join } from 'node:path';
import { type KeptId, keepingMap } from '../../../oci/kept-id.ts';
import { run } from '../../../sys/exec/run.ts';
import { ownIdCounts } from '../../../sys/idmap/own-ids.ts';
import { cannotKeepIds, fuseRefused, idNotMapped } from '../../storage-errors.ts';
import { ACTIVE, LAYERS, type OverlayStack } from './overlay-stack.ts';

const TIMEOUT_MS = 10_000;
/** What it says of mount options that it gets from its surroundings and does not need. */
const NOISE = /^unknown argument ignored/;

/**
 * Mounts a stack below `dir`, in whose name the helper bears all but a colon. Resolves once the file
 * system is there. `unavailable` with the cure when the helper is missing or refuses.
 */
export async function mountByFuse(dir: string, stack: OverlayStack): Promise<void> {
  const { kept, target } = stack;
  const options = [
    `lowerdir=${stack.lower.map((path) => join(LAYERS, path)).join(':')}`,
    `upperdir=${join(ACTIVE, stack.upper)}`,
    `workdir=${join(ACTIVE, stack.work)}`,
    'allow_other',
    ...(kept === undefined ? [] : await mappings(kept)),
  ];
  try {
    await runHelper(dir, ['-o', options.join(','), target]);
  } catch (error) {
    throw kept === undefined ? fuseRefused(dir, error) : cannotKeepIds(error);
  }
}

/** Runs the helper in `cwd` until it has mounted; rejects with what it said. */
export async function runHelper(cwd: string, args: readonly string[]): Promise<void> {
  const done = await run({ file: 'fuse-overlayfs', args, cwd }, { timeoutMs: TIMEOUT_MS });
  if (done.exitCode === 0) return;
  const said = done.stderr.split('\n').filter((line) => line !== '' && !NOISE.test(line));
  throw new Error(said.join('; ') || `exit code ${done.exitCode}`);
}

async function mappings(kept: KeptId): Promise<readonly string[]> {
  const { uids, gids } = await ownIdCounts();
  if (kept.uid >= uids || kept.gid >= gids) throw idNotMapped(kept, uids);
  return [`uidmapping=${mappingText(kept.uid, uids)}`, `gidmapping=${mappingText(kept.gid, gids)}`];
}

/** `ID-ON-DISK:ID-SHOWN:SIZE` apart by colons: files belong to the container's ids, and show the engine's. */
function mappingText(kept: number, count: number): string {
  return keepingMap(kept, count)
    .flatMap(({ containerID, hostID, size }) => [containerID, hostID, size])
    .join(':');
}
