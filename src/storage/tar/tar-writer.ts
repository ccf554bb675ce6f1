/**
 * Makes the header blocks of tar archives: ustar, with PAX records for what does not fit (POSIX pax, "pax Extended
 * Header"), as Docker's archives have them. Times are whole seconds.
 */
import type { TarEntry, TarEntryType } from './tar-entry.ts';
import { BLOCK_BYTES } from './tar-header.ts';

/** What an archive ends with. */
export const TAR_END = Buffer.alloc(2 * BLOCK_BYTES);

const FLAGS: Readonly<Record<Exclude<TarEntryType, 'other'>, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
};

const NAME_BYTES = 100;
const MOST_ID = 0o7777777;
const MOST_IN_12 = 0o77777777777;
const CHECKSUM_AT = 148;
const CHECKSUM_BYTES = 8;

/** An entry that can be written: everything but types that the format does not name. */
export interface WritableEntry extends TarEntry {
  readonly type: Exclude<TarEntryType, 'other'>;
}

/** The blocks that stand before an entry's data. `size` counts for files only. */
export function encodeTarHeader(entry: WritableEntry): Buffer {
  const records = paxRecords(entry);
  const main = headerBlock(entry, FLAGS[entry.type]);
  if (records.length === 0) return main;
  const body = Buffer.concat(records);
  const base = Buffer.from(entry.name)
    .subarray(0, NAME_BYTES - 12)
    .toString('latin1');
  const extended = headerBlock(
    { ...entry, name: `PaxHeaders.0/${base}`, linkName: '', size: body.length, type: 'file' },
    'x',
  );
  return Buffer.concat([extended, body, padding(body.length), main]);
}

/** Zeros up to the next block. */
export function padding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

function headerBlock(entry: WritableEntry, flag: string): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  Buffer.from(entry.name).copy(block, 0, 0, NAME_BYTES);
  octal(block, { at: 100, length: 8 }, entry.mode & 0o7777);
  octal(block, { at: 108, length: 8 }, fits(entry.uid, MOST_ID));
  octal(block, { at: 116, length: 8 }, fits(entry.gid, MOST_ID));
  octal(block, { at: 124, length: 12 }, entry.type === 'file' ? fits(entry.size, MOST_IN_12) : 0);
  octal(block, { at: 136, length: 12 }, fits(Math.floor(entry.mtimeSeconds), MOST_IN_12));
  block.write(flag, 156, 'latin1');
  Buffer.from(entry.linkName).copy(block, 157, 0, NAME_BYTES);
  block.write('ustar\u000000', 257, 'latin1');
  octal(block, { at: 329, length: 8 }, entry.device.major);
  octal(block, { at: 337, length: 8 }, entry.device.minor);
  block.fill(32, CHECKSUM_AT, CHECKSUM_AT + CHECKSUM_BYTES);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, CHECKSUM_AT, 'latin1');
  return block;
}

/** Zero stands in for what only a PAX record can say. */
function fits(value: number, most: number): number {
  return value >= 0 && value <= most ? value : 0;
}

function octal(block: Buffer, field: { at: number; length: number }, value: number): void {
  block.write(value.toString(8).padStart(field.length - 1, '0'), field.at, 'latin1');
}

function paxRecords(entry: WritableEntry): Buffer[] {
  const mtime = Math.floor(entry.mtimeSeconds);
  const records: Buffer[] = [];
  const add = (key: string, value: string | Buffer) => records.push(paxRecord(key, value));
  if (needsRecord(entry.name)) add('path', entry.name);
  if (needsRecord(entry.linkName)) add('linkpath', entry.linkName);
  if (entry.uid > MOST_ID) add('uid', String(entry.uid));
  if (entry.gid > MOST_ID) add('gid', String(entry.gid));
  if (entry.type === 'file' && entry.size > MOST_IN_12) add('size', String(entry.size));
  if (mtime < 0 || mtime > MOST_IN_12) add('mtime', String(mtime));
  for (const [name, value] of entry.xattrs) add(`SCHILY.xattr.${name}`, value);
  return records;
}

/** Too long for the field, or not ASCII, which the field's readers may take for anything. */
function needsRecord(text: string): boolean {
  const bytes = Buffer.from(text);
  return bytes.length > NAME_BYTES || bytes.some((byte) => byte > 127);
}

/** `length key=value\n`, where the length counts itself. */
function paxRecord(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = rest.length + String(rest.length).length;
  length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
