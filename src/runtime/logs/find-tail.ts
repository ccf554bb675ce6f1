/** Where the last lines of a log begin, found from its end without reading the rest. */
import type { FileHandle } from 'node:fs/promises';
import { type K8sLogEntry, parseRecord } from './k8s-line-parser.ts';

const BLOCK_BYTES = 64 << 10;
const NEWLINE = 0x0a;

/**
 * Offset at which the lines that `counter` still wants begin, between `from` (the start of a record) and `to`;
 * undefined when it wants more than there are. A line that was written in parts counts once, and so does one that is
 * not finished yet.
 */
export async function findTailOffset(
  file: FileHandle,
  range: { readonly from: number; readonly to: number },
  counter: LineCounter,
): Promise<number | undefined> {
  // The part after the last newline is no record yet, but will be read as one: it is kept out of the count.
  let carry: Buffer = Buffer.alloc(0);
  let blockStart = range.to;
  while (blockStart > range.from) {
    const length = Math.min(BLOCK_BYTES, blockStart - range.from);
    blockStart -= length;
    const block = Buffer.concat([await readBlock(file, blockStart, length), carry]);
    const walked = walkBack(block, counter, blockStart === range.from);
    if (walked.stop !== undefined) return blockStart + walked.stop;
    carry = block.subarray(0, walked.rest);
  }
  return undefined;
}

/** Goes through the records of a block from the last to the first. */
function walkBack(
  block: Buffer,
  counter: LineCounter,
  isFirst: boolean,
): { readonly stop?: number; readonly rest: number } {
  let end = block.lastIndexOf(NEWLINE);
  while (end >= 0) {
    const before = end === 0 ? -1 : block.lastIndexOf(NEWLINE, end - 1);
    // Without a newline before it, the record began in the block that is read next.
    if (before < 0 && !isFirst) break;
    const entry = parseRecord(block, before + 1, end);
    if (entry !== undefined && !counter.accepts(entry)) return { stop: end + 1, rest: 0 };
    end = before;
  }
  return { rest: end + 1 };
}

/** Counts lines backwards: each stream's last record ends one, and so does every full record. */
export class LineCounter {
  #left: number;
  readonly #seen = new Set<string>();

  constructor(lines: number) {
    this.#left = lines;
  }

  /** False when the record belongs to a line that is not wanted any more. */
  accepts({ stream, endsLine }: K8sLogEntry): boolean {
    if (!endsLine && this.#seen.has(stream)) return true;
    this.#seen.add(stream);
    this.#left -= 1;
    return this.#left >= 0;
  }
}

async function readBlock(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const block = Buffer.alloc(length);
  const { bytesRead } = await file.read(block, 0, length, position);
  return block.subarray(0, bytesRead);
}
