/** A small disk on which files can share blocks, for the tests that say so; only root can mount one. */
import { join } from 'node:path';
import { findTool } from '../setup/requirements.ts';

/** First line of a test file that wants one, at `WHERRY_REFLINK_DIR`. */
export const REFLINK_MARK = '// disk: reflink';

/** The smallest file system that mkfs.xfs makes; the file behind it is sparse. */
const SIZE = '320M';

/**
 * The command with such a disk mounted at `<scratch>/disk`, in a mount namespace of its own: nobody else sees it, and it
 * is gone with the last process. Where the disk cannot be had, the command runs without it.
 */
export function withReflinkDisk(command: readonly string[], scratch: string): readonly string[] {
  if (process.getuid?.() !== 0 || findTool('mkfs.xfs') === undefined) return command;
  const script = [
    `cd "${scratch}" && mkdir disk && truncate -s ${SIZE} image && mkfs.xfs -q image`,
    'mount -o loop image disk && chmod 1777 disk',
  ].join(' && ');
  const shell = ['sh', '-c', `(${script}) >&2; exec "$@"`, 'with-disk'];
  return ['unshare', '--mount', '--propagation', 'private', '--', ...shell, ...command];
}

/** Where the disk is; the directory may be missing. */
export function reflinkDir(scratch: string): string {
  return join(scratch, 'disk');
}
