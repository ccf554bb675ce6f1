/** The 512-byte header block of tar archives (POSIX ustar, GNU and V7 forms). */
import { brokenArchive } from '../storage-errors.ts';

/** Every part of a tar archive is padded to this. */
export const BLOCK_BYTES = 512;

/** Fields of one header block as they stand there; sizes in bytes, time in seconds. */
export interface TarHeader {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeSeconds: number;
  /** The type flag, e.g. `0` file, `5` directory, `x` PAX records. */
  readonly type: string;
  readonly linkName: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

const NAME = { at: 0, length: 100 };
const MODE = { at: 100, length: 8 };
const UID = { at: 108, length: 8 };
const GID = { at: 116, length: 8 };
const SIZE = { at: 124, length: 12 };
const MTIME = { at: 136, length: 12 };
const CHECKSUM = { at: 148, length: 8 };
const TYPE_AT = 156;
const LINK_NAME = { at: 157, length: 100 };
const MAGIC = { at: 257, length: 6 };
const DEVICE_MAJOR = { at: 329, length: 8 };
const DEVICE_MINOR = { at: 337, length: 8 };
const PREFIX = { at: 345, length: 155 };

interface Field {
  readonly at: number;
  readonly length: number;
}

/** Reads the block that starts at `offset`. `corrupt` when its checksum is wrong. Undefined for a block of zeros. */
export function parseTarHeader(buffer: Buffer, offset: number): TarHeader | undefined {
  const sums = checksums(buffer, offset);
  if (sums.unsigned === 0) return undefined;
  const stored = readNumber(buffer, offset, CHECKSUM);
  const spaces = CHECKSUM.length * 32;
  if (stored !== sums.unsigned + spaces && stored !== sums.signed + spaces) {
    throw brokenArchive('archive/tar: invalid tar header');
  }
  const magic = readText(buffer, offset, MAGIC);
  const name = readText(buffer, offset, NAME);
  const prefix = magic === 'ustar' ? readText(buffer, offset, PREFIX) : '';
  const flag = buffer[offset + TYPE_AT] ?? 0;
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: readNumber(buffer, offset, MODE) & 0o7777,
    uid: readNumber(buffer, offset, UID),
    gid: readNumber(buffer, offset, GID),
    size: readNumber(buffer, offset, SIZE),
    mtimeSeconds: readNumber(buffer, offset, MTIME),
    type: flag === 0 ? '0' : String.fromCharCode(flag),
    linkName: readText(buffer, offset, LINK_NAME),
    deviceMajor: magic.startsWith('ustar') ? readNumber(buffer, offset, DEVICE_MAJOR) : 0,
    deviceMinor: magic.startsWith('ustar') ? readNumber(buffer, offset, DEVICE_MINOR) : 0,
  };
}

/** Sums of all bytes outside the checksum field; old writers summed signed bytes. */
function checksums(buffer: Buffer, offset: number): { unsigned: number; signed: number } {
  let unsigned = 0;
  let high = 0;
  for (let index = offset; index < offset + BLOCK_BYTES; index++) {
    const byte = buffer[index] ?? 0;
    unsigned += byte;
    high += byte >> 7;
  }
  const start = offset + CHECKSUM.at;
  for (let index = start; index < start + CHECKSUM.length; index++) {
    const byte = buffer[index] ?? 0;
    unsigned -= byte;
    high -= byte >> 7;
  }
  return { unsigned, signed: unsigned - high * 256 };
}

/** Text up to the first NUL. */
function readText(buffer: Buffer, offset: number, field: Field): string {
  const start = offset + field.at;
  let end = start;
  while (end < start + field.length && buffer[end] !== 0) end++;
  return buffer.toString('utf8', start, end);
}

/** Octal digits, or GNU's base-256 form for what does not fit (first bit set; two's complement). */
export function readTarNumber(buffer: Buffer, at: number, length: number): number {
  const first = buffer[at] ?? 0;
  if ((first & 0x80) !== 0) return readBase256(buffer, at, length);
  let value = 0;
  for (let index = at; index < at + length; index++) {
    const byte = buffer[index] ?? 0;
    if (byte === 0 || byte === 32) {
      if (value !== 0) break;
      continue;
    }
    if (byte < 48 || byte > 55) throw brokenArchive('archive/tar: invalid tar header');
    value = value * 8 + (byte - 48);
  }
  return value;
}

function readNumber(buffer: Buffer, offset: number, field: Field): number {
  return readTarNumber(buffer, offset + field.at, field.length);
}

function readBase256(buffer: Buffer, at: number, length: number): number {
  const first = buffer[at] ?? 0;
  const negative = (first & 0x40) !== 0;
  let value = BigInt(first & 0x3f) - (negative ? 64n : 0n);
  for (let index = at + 1; index < at + length; index++) {
    value = value * 256n + BigInt(buffer[index] ?? 0);
  }
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw brokenArchive('archive/tar: invalid tar header');
  return number;
}
