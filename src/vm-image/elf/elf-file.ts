/** What the image builder asks of 64-bit little-endian ELF files (elf(5)): both architectures have no other. */
import { damagedInput } from '../vm-image-errors.ts';

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const SECTION_HEADER_BYTES = 64;
const MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);

const LOAD = 1;
const DYNAMIC = 2;
const INTERPRETER = 3;
const NEEDED = 1n;
const STRING_TABLE = 5n;
const NOTHING = 8;

/** What a program or library wants to be loaded with. */
export interface ElfNeeds {
  /** Absolute path of the loader; programs only. */
  readonly interpreter: string | undefined;
  /** Names of libraries, `libc.so.6`. */
  readonly libraries: readonly string[];
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

export function isElf(bytes: Buffer): boolean {
  return bytes.length >= HEADER_BYTES && bytes.subarray(0, MAGIC.length).equals(MAGIC);
}

/** `corrupt` for a file whose tables lead out of it. */
export function elfNeeds(bytes: Buffer, name: string): ElfNeeds {
  return readable(name, () => {
    const segments = segmentsOf(bytes);
    const loader = segments.find(({ type }) => type === INTERPRETER);
    const interpreter = loader && textAt(bytes, loader.offset);
    return { interpreter, libraries: neededLibraries(bytes, segments) };
  });
}

/** The bytes of a section, undefined when there is none of that name. */
export function elfSection(bytes: Buffer, section: string, name: string): Buffer | undefined {
  return readable(name, () => {
    const [at, count] = [Number(bytes.readBigUInt64LE(40)), bytes.readUInt16LE(60)];
    const place = (index: number) => {
      const header = at + index * SECTION_HEADER_BYTES;
      const offset = Number(bytes.readBigUInt64LE(header + 24));
      return { header, offset, size: Number(bytes.readBigUInt64LE(header + 32)) };
    };
    const names = place(bytes.readUInt16LE(62));
    for (let index = 1; index < count; index++) {
      const { header, offset, size } = place(index);
      const isIt = textAt(bytes, names.offset + bytes.readUInt32LE(header)) === section;
      if (isIt && bytes.readUInt32LE(header + 4) !== NOTHING) {
        return bytes.subarray(offset, offset + size);
      }
    }
    return undefined;
  });
}

/** The same program without what follows its last loaded byte: symbols, debugging, the table of sections. */
export function withoutSymbols(bytes: Buffer, name: string): Buffer {
  return readable(name, () => {
    const ends = segmentsOf(bytes).map(({ offset, size }) => offset + size);
    const kept = Buffer.from(bytes.subarray(0, Math.max(HEADER_BYTES, ...ends)));
    kept.writeBigUInt64LE(0n, 40);
    kept.writeUInt16LE(0, 60);
    kept.writeUInt16LE(0, 62);
    return kept;
  });
}

function segmentsOf(bytes: Buffer): readonly Segment[] {
  const at = Number(bytes.readBigUInt64LE(32));
  return Array.from({ length: bytes.readUInt16LE(56) }, (_, index) => {
    const header = at + index * PROGRAM_HEADER_BYTES;
    return {
      type: bytes.readUInt32LE(header),
      offset: Number(bytes.readBigUInt64LE(header + 8)),
      address: Number(bytes.readBigUInt64LE(header + 16)),
      size: Number(bytes.readBigUInt64LE(header + 32)),
    };
  });
}

function neededLibraries(bytes: Buffer, segments: readonly Segment[]): readonly string[] {
  const dynamic = segments.find(({ type }) => type === DYNAMIC);
  if (dynamic === undefined) return [];
  const needed: number[] = [];
  let strings = 0;
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 16) {
    const [tag, value] = [bytes.readBigInt64LE(at), Number(bytes.readBigUInt64LE(at + 8))];
    if (tag === NEEDED) needed.push(value);
    if (tag === STRING_TABLE) strings = offsetOf(value, segments);
  }
  return needed.map((value) => textAt(bytes, strings + value));
}

function offsetOf(address: number, segments: readonly Segment[]): number {
  const holder = segments.find(
    (segment) =>
      segment.type === LOAD &&
      address >= segment.address &&
      address < segment.address + segment.size,
  );
  return holder === undefined ? address : address - holder.address + holder.offset;
}

function textAt(bytes: Buffer, offset: number): string {
  const end = bytes.indexOf(0, offset);
  if (offset >= bytes.length || end < 0) throw new RangeError('a text without an end');
  return bytes.toString('latin1', offset, end);
}

/** Node reports reading outside of a buffer as RangeError. */
function readable<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw damagedInput(name, 'damaged ELF file', error);
    throw error;
  }
}
