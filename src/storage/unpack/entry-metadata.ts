/** Owners, modes, times and extended attributes of extracted entries. */
import {
  chmodSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  lutimesSync,
  utimesSync,
} from 'node:fs';
import { findEngineError, systemCode } from '../../shared/errors.ts';
import { lsetxattr } from '../../sys/libc.ts';
import { cannotExtract } from '../storage-errors.ts';
import type { TarEntry } from '../tar/tar-entry.ts';
import { isAllowedXattr } from './allowed-xattrs.ts';
import type { EntryOwners } from './entry-owners.ts';

/** Set-uid, set-gid and sticky bits. */
const SPECIAL_BITS = 0o7000;
const SET_GROUP_BIT = 0o2000;

/** Attribute values that the file system or the user namespace may refuse without harm to the layer. */
const REFUSED: ReadonlySet<string | undefined> = new Set(['ENOTSUP', 'EOPNOTSUPP', 'EPERM']);

/** Gives a just written file its owner, mode and time through its descriptor. */
export function finishFile(
  fd: number,
  entry: TarEntry,
  given: { readonly umask: number; readonly owners: EntryOwners },
): void {
  // A new file already belongs to 0:0, and chown would clear the special bits: owner first.
  if (entry.uid !== 0 || entry.gid !== 0) {
    given.owners.apply(entry, (uid, gid) => fchownSync(fd, uid, gid));
  }
  if ((entry.mode & (SPECIAL_BITS | given.umask)) !== 0) fchmodSync(fd, entry.mode);
  futimesSync(fd, entry.mtimeSeconds, entry.mtimeSeconds);
}

/** Gives a new directory its owner and mode, without the set-group bit: entries would inherit the group. */
export function beginDirectory(path: string, entry: TarEntry, owners: EntryOwners): void {
  if (entry.uid !== 0 || entry.gid !== 0) setLinkOwner(path, entry, owners);
  chmodSync(path, entry.mode & ~SET_GROUP_BIT);
}

/** Gives a directory that is complete its set-group bit and its time. */
export function finishDirectory(path: string, entry: TarEntry): void {
  if ((entry.mode & SET_GROUP_BIT) !== 0) chmodSync(path, entry.mode);
  utimesSync(path, entry.mtimeSeconds, entry.mtimeSeconds);
}

/** Gives a fifo its owner, mode and time. */
export function finishSpecial(path: string, entry: TarEntry, owners: EntryOwners): void {
  if (entry.uid !== 0 || entry.gid !== 0) setLinkOwner(path, entry, owners);
  chmodSync(path, entry.mode);
  utimesSync(path, entry.mtimeSeconds, entry.mtimeSeconds);
}

/** Gives a symbolic link (which has no mode of its own) its owner and time. */
export function finishLink(path: string, entry: TarEntry, owners: EntryOwners): void {
  if (entry.uid !== 0 || entry.gid !== 0) setLinkOwner(path, entry, owners);
  lutimesSync(path, entry.mtimeSeconds, entry.mtimeSeconds);
}

/** Sets the attributes that containers may have; others are left out. */
export function setXattrs(path: string, entry: TarEntry): void {
  for (const [name, value] of entry.xattrs) {
    if (!isAllowedXattr(name)) continue;
    try {
      lsetxattr(path, name, value);
    } catch (error) {
      if (!REFUSED.has(codeOf(error))) throw cannotExtract(entry.name, error);
    }
  }
}

function setLinkOwner(path: string, entry: TarEntry, owners: EntryOwners): void {
  owners.apply(entry, (uid, gid) => lchownSync(path, uid, gid));
}

function codeOf(error: unknown): string | undefined {
  return systemCode(error) ?? findEngineError(error)?.details['code'];
}
