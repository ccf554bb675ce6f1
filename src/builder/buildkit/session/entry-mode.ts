/** Modes of entries as clients send them: Go's `os.FileMode`. */
import { goFileMode } from '../../../wire/go-file-mode.ts';

const DIRECTORY = 2 ** 31;
const SYMLINK = 2 ** 27;
/** All bits that say that an entry is no plain file: directory, link, pipe, socket, devices, irregular. */
const TYPE_BITS = [31, 27, 26, 25, 24, 21, 19].map((bit) => 2 ** bit);

const has = (mode: number, bit: number) => Math.floor(mode / bit) % 2 === 1;

export type EntryKind = 'directory' | 'symlink' | 'file' | 'other';

export function kindOfEntry(mode: number): EntryKind {
  if (has(mode, DIRECTORY)) return 'directory';
  if (has(mode, SYMLINK)) return 'symlink';
  return isPlainFile(mode) ? 'file' : 'other';
}

/** True for files whose contents can be asked for. */
export const isPlainFile = (mode: number) => !TYPE_BITS.some((bit) => has(mode, bit));

/** The kernel's permission bits, those of set-id and sticky included. */
export function permissionBits(mode: number): number {
  let bits = mode % 0o1000;
  if (has(mode, 2 ** 23)) bits |= 0o4000;
  if (has(mode, 2 ** 22)) bits |= 0o2000;
  if (has(mode, 2 ** 20)) bits |= 0o1000;
  return bits;
}

/** From the kernel's mode to Go's. */
export const toEntryMode = goFileMode;
