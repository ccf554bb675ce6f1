/**
 * Reads a tar stream piece by piece without copying file contents: `push` a chunk, then take events with
 * `next` until it answers undefined. Knows ustar, V7, GNU long names, PAX records and sparse files.
 *
 * Written by hand because layers are on the hot path of a pull, and because values of PAX records (file
 * capabilities) are binary, which the tar libraries of npm decode as text.
 */
import { brokenArchive, unexpectedEnd } from '../storage-errors.ts';
import { MAX_PAX_BYTES, type PaxRecords, parsePaxRecords } from './pax-records.ts';
import {
  checkStretches,
  MAX_STRETCHES,
  parseGnuSparseExtension,
  parseGnuSparseHeader,
  parseMapInData,
  type SparseStretch,
} from './sparse-map.ts';
import { type TarEntry, toTarEntry } from './tar-entry.ts';
import { BLOCK_BYTES, parseTarHeader, type TarHeader } from './tar-header.ts';

/** What the parser found next. `data` pieces belong to the entry before them; each entry has one `end`. */
export type TarEvent =
  | { readonly kind: 'entry'; readonly entry: TarEntry }
  | { readonly kind: 'data'; readonly bytes: Buffer; readonly position: number }
  | { readonly kind: 'end' };

type State =
  | 'header'
  | 'metadata'
  | 'sparse-extension'
  | 'map-in-data'
  | 'data'
  | 'padding'
  | 'done';

const END: TarEvent = { kind: 'end' };
const EMPTY = Buffer.alloc(0);
const NO_RECORDS: PaxRecords = new Map();

export class TarParser {
  #buffer: Buffer = EMPTY;
  #at = 0;
  #state: State = 'header';
  #zeroBlocks = 0;
  /** Header of the metadata or sparse entry being read. */
  #header: TarHeader | undefined;
  #metadata: Buffer[] = [];
  #records = NO_RECORDS;
  #longName: string | undefined;
  #longLink: string | undefined;
  #stretches: readonly SparseStretch[] = [];
  /** The same while more of them may follow the header. */
  #extensions: SparseStretch[] = [];
  #sparseSize = 0;
  /** Bytes of the current part that are still to come, and the padding after them. */
  #remaining = 0;
  #padding = 0;
  #position = 0;
  #stretch = 0;

  /** Adds the next chunk. The parser keeps slices of it until they are handed out. */
  push(chunk: Buffer): void {
    const rest = this.#at < this.#buffer.length ? this.#buffer.subarray(this.#at) : EMPTY;
    this.#buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    this.#at = 0;
  }

  /** The next event, or undefined when more bytes are needed. `corrupt` for a damaged archive. */
  next(): TarEvent | undefined {
    for (;;) {
      const before = this.#at;
      const state = this.#state;
      const event = this.#step();
      if (event !== undefined) return event;
      if (this.#state === state && this.#at === before) return undefined;
    }
  }

  /** Call when the stream has ended: `corrupt` when it ended inside an entry. */
  finish(): void {
    const between = this.#state === 'header' && this.#at >= this.#buffer.length;
    if (this.#state !== 'done' && !between) throw unexpectedEnd();
  }

  #step(): TarEvent | undefined {
    switch (this.#state) {
      case 'header':
        return this.#readHeader();
      case 'metadata':
        return this.#readMetadata();
      case 'sparse-extension':
        return this.#readSparseExtension();
      case 'map-in-data':
        return this.#readMapInData();
      case 'data':
        return this.#readData();
      case 'padding':
        return this.#skipPadding();
      case 'done':
        this.#at = this.#buffer.length;
        return undefined;
    }
  }

  #readHeader(): TarEvent | undefined {
    if (this.#buffer.length - this.#at < BLOCK_BYTES) return undefined;
    const header = parseTarHeader(this.#buffer, this.#at);
    const block = this.#buffer.subarray(this.#at, this.#at + BLOCK_BYTES);
    this.#at += BLOCK_BYTES;
    if (header === undefined) {
      if (++this.#zeroBlocks === 2) this.#state = 'done';
      return undefined;
    }
    this.#zeroBlocks = 0;
    if (header.size < 0) throw brokenArchive('archive/tar: invalid tar header');
    if (isMetadata(header.type)) return this.#beginMetadata(header);
    if (header.type === 'S') return this.#beginGnuSparse(header, block);
    return this.#beginEntry(header, undefined);
  }

  #beginMetadata(header: TarHeader): undefined {
    if (header.size > MAX_PAX_BYTES) throw brokenArchive('archive/tar: header field too long');
    this.#header = header;
    this.#metadata = [];
    this.#expect(header.size);
    this.#state = 'metadata';
  }

  #readMetadata(): undefined {
    const bytes = this.#take();
    if (bytes.length > 0) this.#metadata.push(bytes);
    if (this.#remaining > 0) return;
    const body = Buffer.concat(this.#metadata);
    const type = this.#header?.type;
    if (type === 'x') this.#records = parsePaxRecords(body);
    else if (type === 'L') this.#longName = untilNul(body);
    else if (type === 'K') this.#longLink = untilNul(body);
    // Global records (`g`) are passed over, as Docker does: they carry comments of git and the like.
    this.#state = 'padding';
  }

  #beginGnuSparse(header: TarHeader, block: Buffer): TarEvent | undefined {
    const { stretches, extended, realSize } = parseGnuSparseHeader(block);
    this.#header = header;
    this.#extensions = stretches;
    this.#sparseSize = realSize;
    if (!extended) return this.#beginEntry(header, { stretches, realSize });
    this.#state = 'sparse-extension';
    return undefined;
  }

  #readSparseExtension(): TarEvent | undefined {
    if (this.#buffer.length - this.#at < BLOCK_BYTES || this.#header === undefined)
      return undefined;
    const block = this.#buffer.subarray(this.#at, this.#at + BLOCK_BYTES);
    this.#at += BLOCK_BYTES;
    const { stretches, extended } = parseGnuSparseExtension(block);
    this.#extensions.push(...stretches);
    if (this.#extensions.length > MAX_STRETCHES) {
      throw brokenArchive('archive/tar: invalid sparse map');
    }
    if (extended) return undefined;
    return this.#beginEntry(this.#header, {
      stretches: this.#extensions,
      realSize: this.#sparseSize,
    });
  }

  #beginEntry(
    header: TarHeader,
    gnuSparse: { stretches: readonly SparseStretch[]; realSize: number } | undefined,
  ): TarEvent {
    const { entry, storedSize, sparse } = toTarEntry(header, {
      records: this.#records,
      longName: this.#longName,
      longLink: this.#longLink,
    });
    this.#records = NO_RECORDS;
    this.#longName = undefined;
    this.#longLink = undefined;
    this.#expect(storedSize);
    this.#position = 0;
    this.#stretch = 0;
    this.#stretches = checkStretches(
      gnuSparse?.stretches ?? (sparse?.kind === 'map' ? sparse.stretches : []),
    );
    this.#metadata = [];
    this.#state = sparse?.kind === 'map-in-data' ? 'map-in-data' : 'data';
    return {
      kind: 'entry',
      entry: gnuSparse === undefined ? entry : { ...entry, size: gnuSparse.realSize },
    };
  }

  #readMapInData(): undefined {
    const bytes = this.#take();
    if (bytes.length === 0 && this.#remaining > 0) return;
    this.#metadata.push(bytes);
    const collected = Buffer.concat(this.#metadata);
    if (collected.length > MAX_PAX_BYTES) throw brokenArchive('archive/tar: invalid sparse map');
    const map = parseMapInData(collected);
    if (map === undefined) {
      if (this.#remaining === 0) throw brokenArchive('archive/tar: invalid sparse map');
      return;
    }
    // What was read beyond the map is data: put it back in front.
    const surplus = collected.subarray(map.consumed);
    this.#buffer = Buffer.concat([surplus, this.#buffer.subarray(this.#at)]);
    this.#at = 0;
    this.#remaining += surplus.length;
    this.#stretches = map.stretches;
    this.#state = 'data';
  }

  #readData(): TarEvent | undefined {
    if (this.#remaining === 0) {
      this.#state = 'padding';
      return END;
    }
    if (this.#at >= this.#buffer.length) return undefined;
    if (this.#stretches.length > 0) return this.#readStretch();
    const bytes = this.#take();
    const position = this.#position;
    this.#position += bytes.length;
    return { kind: 'data', bytes, position };
  }

  #readStretch(): TarEvent {
    let stretch = this.#stretches[this.#stretch];
    while (stretch !== undefined && this.#position >= stretch.length) {
      this.#position = 0;
      stretch = this.#stretches[++this.#stretch];
    }
    if (stretch === undefined) throw brokenArchive('archive/tar: invalid sparse map');
    const bytes = this.#take(stretch.length - this.#position);
    const position = stretch.offset + this.#position;
    this.#position += bytes.length;
    return { kind: 'data', bytes, position };
  }

  #skipPadding(): undefined {
    const skipped = Math.min(this.#padding, this.#buffer.length - this.#at);
    this.#at += skipped;
    this.#padding -= skipped;
    if (this.#padding === 0) this.#state = 'header';
  }

  #expect(size: number): void {
    this.#remaining = size;
    this.#padding = (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
  }

  /** As many of the expected bytes as are there, at most `limit`. */
  #take(limit = Number.MAX_SAFE_INTEGER): Buffer {
    const length = Math.min(this.#remaining, this.#buffer.length - this.#at, limit);
    const bytes = this.#buffer.subarray(this.#at, this.#at + length);
    this.#at += length;
    this.#remaining -= length;
    return bytes;
  }
}

function isMetadata(type: string): boolean {
  return type === 'x' || type === 'g' || type === 'L' || type === 'K';
}

function untilNul(body: Buffer): string {
  const end = body.indexOf(0);
  return body.toString('utf8', 0, end < 0 ? body.length : end);
}
