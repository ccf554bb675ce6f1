/** The content of a directory of EROFS: in each block first its entries, then their names, all in the order of bytes. */

const ENTRY_BYTES = 12;

/** One name in a directory. */
export interface Named {
  readonly name: Buffer;
  /** Of the inode. */
  readonly number: number;
  /** Type within directories (`EROFS_FT_*`). */
  readonly kind: number;
}

/** The bytes of a directory with these names; blocks before the last one are filled up. */
export function directoryContent(names: readonly Named[], blockBytes: number): Buffer {
  const sorted = names.toSorted((a, b) => Buffer.compare(a.name, b.name));
  const blocks: Named[][] = [[]];
  let used = 0;
  for (const named of sorted) {
    const size = ENTRY_BYTES + named.name.length;
    if (used + size > blockBytes) {
      blocks.push([]);
      used = 0;
    }
    blocks.at(-1)?.push(named);
    used += size;
  }
  const contents = blocks.map(blockContent);
  const whole = contents.slice(0, -1).map((content) => filled(content, blockBytes));
  return Buffer.concat([...whole, ...contents.slice(-1)]);
}

function blockContent(names: readonly Named[]): Buffer {
  const entries = Buffer.alloc(names.length * ENTRY_BYTES);
  let nameAt = entries.length;
  for (const [index, { name, number, kind }] of names.entries()) {
    const at = index * ENTRY_BYTES;
    entries.writeBigUInt64LE(BigInt(number), at);
    entries.writeUInt16LE(nameAt, at + 8);
    entries.writeUInt8(kind, at + 10);
    nameAt += name.length;
  }
  return Buffer.concat([entries, ...names.map(({ name }) => name)]);
}

function filled(content: Buffer, size: number): Buffer {
  return Buffer.concat([content, Buffer.alloc(size - content.length)]);
}
