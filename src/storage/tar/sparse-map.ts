/** Maps of sparse files (GNU tar manual, "Sparse Formats"): which stretches of the file are stored. */
import { brokenArchive } from '../storage-errors.ts';
import { type PaxRecords, paxNumber, paxText } from './pax-records.ts';
import { BLOCK_BYTES, readTarNumber } from './tar-header.ts';

/** A stored stretch; everything between stretches is zeros. */
export interface SparseStretch {
  readonly offset: number;
  readonly length: number;
}

const ENTRY_BYTES = 24;
const HEADER_ENTRIES_AT = 386;
const HEADER_ENTRIES = 4;
const HEADER_EXTENDED_AT = 482;
const HEADER_REAL_SIZE_AT = 483;
const EXTENSION_ENTRIES = 21;
const EXTENSION_EXTENDED_AT = 504;
const NUMBER_BYTES = 12;
/** More of them than any file needs that a tool has written. */
export const MAX_STRETCHES = 100_000;

/** What the main header of an `S` entry says. */
export function parseGnuSparseHeader(block: Buffer): {
  stretches: SparseStretch[];
  extended: boolean;
  realSize: number;
} {
  return {
    stretches: readEntries(block, HEADER_ENTRIES_AT, HEADER_ENTRIES),
    extended: block[HEADER_EXTENDED_AT] !== 0,
    realSize: readTarNumber(block, HEADER_REAL_SIZE_AT, NUMBER_BYTES),
  };
}

/** One of the extension blocks that follow an `S` header with more than four stretches. */
export function parseGnuSparseExtension(block: Buffer): {
  stretches: SparseStretch[];
  extended: boolean;
} {
  return {
    stretches: readEntries(block, 0, EXTENSION_ENTRIES),
    extended: block[EXTENSION_EXTENDED_AT] !== 0,
  };
}

function readEntries(block: Buffer, at: number, count: number): SparseStretch[] {
  const stretches: SparseStretch[] = [];
  for (let index = 0; index < count; index++) {
    const start = at + index * ENTRY_BYTES;
    if (block[start] === 0) break;
    const offset = readTarNumber(block, start, NUMBER_BYTES);
    stretches.push({ offset, length: readTarNumber(block, start + NUMBER_BYTES, NUMBER_BYTES) });
  }
  return stretches;
}

/** How an `x` header describes a sparse file: by a map in its records, or by one at the start of the data. */
export type PaxSparse =
  | {
      readonly kind: 'map';
      readonly stretches: readonly SparseStretch[];
      readonly realSize: number;
    }
  | { readonly kind: 'map-in-data'; readonly realSize: number };

/** The sparse description in PAX records, undefined for ordinary files. */
export function paxSparse(records: PaxRecords): PaxSparse | undefined {
  const realSize =
    paxNumber(records, 'GNU.sparse.realsize') ?? paxNumber(records, 'GNU.sparse.size');
  if (realSize === undefined) return undefined;
  if (paxText(records, 'GNU.sparse.major') === '1') return { kind: 'map-in-data', realSize };
  const map = paxText(records, 'GNU.sparse.map');
  if (map === undefined) return undefined;
  return { kind: 'map', stretches: pairUp(map === '' ? [] : map.split(',')), realSize };
}

/**
 * Reads the map that stands before the data in version 1.0: decimal lines, padded to a block.
 * Undefined while `bytes` does not hold all of it.
 */
export function parseMapInData(
  bytes: Buffer,
): { stretches: readonly SparseStretch[]; consumed: number } | undefined {
  const lines: string[] = [];
  let at = 0;
  let wanted = 1;
  while (lines.length < wanted) {
    const end = bytes.indexOf(10, at);
    if (end < 0) return undefined;
    lines.push(bytes.toString('latin1', at, end));
    at = end + 1;
    if (lines.length === 1) wanted = 1 + 2 * countOf(lines[0]);
  }
  const consumed = Math.ceil(at / BLOCK_BYTES) * BLOCK_BYTES;
  if (bytes.length < consumed) return undefined;
  return { stretches: pairUp(lines.slice(1)), consumed };
}

function countOf(line: string | undefined): number {
  const count = Number(line);
  if (!Number.isInteger(count) || count < 0 || count > MAX_STRETCHES) {
    throw brokenArchive('archive/tar: invalid sparse map');
  }
  return count;
}

function pairUp(numbers: readonly string[]): readonly SparseStretch[] {
  const stretches: SparseStretch[] = [];
  for (let index = 0; index + 1 < numbers.length; index += 2) {
    stretches.push({ offset: Number(numbers[index]), length: Number(numbers[index + 1]) });
  }
  return checkStretches(stretches);
}

/** Refuses maps that run backwards or are no numbers; `corrupt`. */
export function checkStretches(stretches: readonly SparseStretch[]): readonly SparseStretch[] {
  let end = 0;
  for (const { offset, length } of stretches) {
    const sound = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
    if (!sound || length < 0 || offset < end) {
      throw brokenArchive('archive/tar: invalid sparse map');
    }
    end = offset + length;
  }
  return stretches;
}
