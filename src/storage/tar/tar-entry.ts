/** From header blocks and PAX records to one entry with all its facts. */
import { type PaxRecords, paxNumber, paxText } from './pax-records.ts';
import { type PaxSparse, paxSparse } from './sparse-map.ts';
import type { TarHeader } from './tar-header.ts';

export type TarEntryType =
  | 'file'
  | 'directory'
  | 'symlink'
  | 'hardlink'
  | 'fifo'
  | 'character-device'
  | 'block-device'
  | 'other';

/** One member of an archive. `size` is that of the file, holes included. */
export interface TarEntry {
  readonly type: TarEntryType;
  readonly name: string;
  readonly linkName: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds since the epoch, with fraction. */
  readonly mtimeSeconds: number;
  readonly device: { readonly major: number; readonly minor: number };
  /** Extended attributes by name. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

/** What earlier entries said about the next one. */
export interface EntryExtras {
  readonly records: PaxRecords;
  readonly longName: string | undefined;
  readonly longLink: string | undefined;
}

const XATTR_PREFIX = 'SCHILY.xattr.';
const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();

const TYPES: ReadonlyMap<string, TarEntryType> = new Map([
  ['0', 'file'],
  ['1', 'hardlink'],
  ['2', 'symlink'],
  ['3', 'character-device'],
  ['4', 'block-device'],
  ['5', 'directory'],
  ['6', 'fifo'],
  ['7', 'file'],
  ['S', 'file'],
]);

/** Merges a header with what preceded it. `storedSize` is how many bytes of data follow in the archive. */
export function toTarEntry(
  header: TarHeader,
  extras: EntryExtras,
): { entry: TarEntry; storedSize: number; sparse: PaxSparse | undefined } {
  const { records } = extras;
  const plain = records.size === 0;
  const name =
    (plain ? undefined : (paxText(records, 'GNU.sparse.name') ?? paxText(records, 'path'))) ??
    extras.longName ??
    header.name;
  const type = typeOf(header.type, name);
  const sparse = plain ? undefined : paxSparse(records);
  const carriesData = type === 'file' || type === 'other';
  const storedSize = carriesData ? (paxNumber(records, 'size') ?? header.size) : 0;
  const entry: TarEntry = {
    type,
    name,
    linkName:
      (plain ? undefined : paxText(records, 'linkpath')) ?? extras.longLink ?? header.linkName,
    mode: header.mode,
    uid: paxNumber(records, 'uid') ?? header.uid,
    gid: paxNumber(records, 'gid') ?? header.gid,
    size: sparse?.realSize ?? storedSize,
    mtimeSeconds: paxNumber(records, 'mtime') ?? header.mtimeSeconds,
    device: { major: header.deviceMajor, minor: header.deviceMinor },
    xattrs: plain ? NO_XATTRS : xattrsOf(records),
  };
  return { entry, storedSize, sparse };
}

function typeOf(flag: string, name: string): TarEntryType {
  const type = TYPES.get(flag) ?? 'other';
  // V7 archives have no directory type: the slash says it.
  return type === 'file' && name.endsWith('/') ? 'directory' : type;
}

function xattrsOf(records: PaxRecords): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const [key, value] of records) {
    if (key.startsWith(XATTR_PREFIX)) found.set(key.slice(XATTR_PREFIX.length), value);
  }
  return found;
}
