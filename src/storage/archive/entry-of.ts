/** From what the kernel says of a file to the facts of an archive entry. */
import { type BigIntStats, constants } from 'node:fs';
import type { WritableEntry } from '../tar/tar-writer.ts';

const TYPES: ReadonlyMap<number, WritableEntry['type']> = new Map([
  [constants.S_IFREG, 'file'],
  [constants.S_IFDIR, 'directory'],
  [constants.S_IFLNK, 'symlink'],
  [constants.S_IFIFO, 'fifo'],
  [constants.S_IFCHR, 'character-device'],
  [constants.S_IFBLK, 'block-device'],
]);

const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();

/** The entry `name` without link target and attributes; undefined for sockets, which archives cannot hold. */
export function entryOf(stats: BigIntStats, name: string): WritableEntry | undefined {
  const mode = Number(stats.mode);
  const type = TYPES.get(mode & constants.S_IFMT);
  if (type === undefined) return undefined;
  const isDevice = type === 'character-device' || type === 'block-device';
  return {
    type,
    name,
    linkName: '',
    mode: mode & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: type === 'file' ? Number(stats.size) : 0,
    mtimeSeconds: Number(stats.mtimeNs / 1_000_000_000n),
    device: isDevice ? deviceOf(stats.rdev) : { major: 0, minor: 0 },
    xattrs: NO_XATTRS,
  };
}

/** The kernel's encoding of a device number (glibc's `major` and `minor`). */
function deviceOf(rdev: bigint): { major: number; minor: number } {
  return {
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn)),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & ~0xffn & 0xffffffffn)),
  };
}
