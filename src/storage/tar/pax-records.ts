/** PAX extended header records (POSIX pax, "pax Extended Header"): `length key=value\n`, values may be binary. */
import { brokenArchive } from '../storage-errors.ts';

/** Values by key; the last of several records of one key counts. */
export type PaxRecords = ReadonlyMap<string, Buffer>;

/** Longest sequence of records that is believed. */
export const MAX_PAX_BYTES = 1024 * 1024;

/** Parses the body of an `x` entry. `corrupt` when the lengths do not add up. */
export function parsePaxRecords(body: Buffer): PaxRecords {
  const records = new Map<string, Buffer>();
  const sparse: string[] = [];
  let at = 0;
  while (at < body.length && body[at] !== 0) {
    const space = body.indexOf(32, at);
    const length = space < 0 ? Number.NaN : Number(body.toString('latin1', at, space));
    const end = at + length;
    const equals = body.indexOf(61, space);
    const whole = Number.isInteger(length) && length > 0 && end <= body.length;
    if (!whole || equals < 0 || equals >= end || body[end - 1] !== 10) {
      throw brokenArchive('archive/tar: invalid tar header');
    }
    const key = body.toString('utf8', space + 1, equals);
    const value = body.subarray(equals + 1, end - 1);
    // Version 0.0 of GNU's sparse maps repeats these two keys: the list is kept in the form of version 0.1.
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') {
      sparse.push(value.toString('latin1'));
    } else records.set(key, value);
    at = end;
  }
  if (sparse.length > 0) records.set('GNU.sparse.map', Buffer.from(sparse.join(',')));
  return records;
}

/** The record as text, undefined when there is none. */
export function paxText(records: PaxRecords, key: string): string | undefined {
  return records.get(key)?.toString('utf8');
}

/** The record as a decimal number; `corrupt` when it is none. */
export function paxNumber(records: PaxRecords, key: string): number | undefined {
  const text = paxText(records, key);
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isFinite(value)) throw brokenArchive('archive/tar: invalid tar header');
  return value;
}
