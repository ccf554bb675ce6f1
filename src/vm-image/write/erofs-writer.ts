/**
 * A read-only EROFS file system (linux/Documentation/filesystems/erofs.rst and fs/erofs/erofs_fs.h), not compressed:
 * superblock, then all inodes, then the contents of one file after the other, each from the start of a block.
 */
import { type ImageEntry, type ImageTree, modeOf } from '../tree/image-tree.ts';
import { crc32c } from './crc32c.ts';
import { directoryContent, type Named } from './erofs-directory.ts';

/** Bytes of a block: the page size of every kernel that may mount it. */
export const BLOCK_BYTES = 4096;
const BLOCK_BITS = 12;
const SUPERBLOCK_AT = 1024;
const MAGIC = 0xe0f5e1e2;
const HAS_CHECKSUM = 1;
const INODE_BYTES = 32;
/** Numbers of inodes count from the start of the device, in units of their size; theirs begin in the second block. */
const FIRST_INODE = BLOCK_BYTES / INODE_BYTES;
/** Where nothing is stored. */
const NO_BLOCK = 0xffffffff;

/** Types within directories. */
const KINDS: Readonly<Record<ImageEntry['kind'], number>> = { file: 1, directory: 2, symlink: 7 };

interface Node {
  readonly entry: ImageEntry;
  readonly number: number;
  readonly parent: Node | undefined;
  readonly children: { readonly name: string; readonly node: Node }[];
}

/** The bytes of the file system of `tree`, piece by piece; the same tree gives the same bytes. */
export function* writeErofs(tree: ImageTree, label: string): Generator<Buffer> {
  const nodes = nodesOf(tree);
  const inodeBlocks = Math.ceil((nodes.length * INODE_BYTES) / BLOCK_BYTES);
  const contents = nodes.map(contentOf);
  const table = Buffer.alloc(inodeBlocks * BLOCK_BYTES);
  let block = 1 + inodeBlocks;
  for (const [index, node] of nodes.entries()) {
    const size = contents[index]?.length ?? 0;
    const at = size === 0 ? NO_BLOCK : block;
    inode(node, { size, block: at }).copy(table, index * INODE_BYTES);
    block += Math.ceil(size / BLOCK_BYTES);
  }
  yield superblock({ inodes: nodes.length, blocks: block, label });
  yield table;
  for (const content of contents) {
    yield content;
    const rest = -content.length & (BLOCK_BYTES - 1);
    if (rest > 0) yield Buffer.alloc(rest);
  }
}

function nodesOf(tree: ImageTree): readonly Node[] {
  const byPath = new Map<string, Node>();
  for (const [path, entry] of tree.sorted()) {
    const cut = path.lastIndexOf('/');
    const parent = path === '' ? undefined : byPath.get(path.slice(0, Math.max(0, cut)));
    const node: Node = { entry, number: FIRST_INODE + byPath.size, parent, children: [] };
    parent?.children.push({ name: path.slice(cut + 1), node });
    byPath.set(path, node);
  }
  return [...byPath.values()];
}

function contentOf(node: Node): Buffer {
  const { entry } = node;
  if (entry.kind === 'file') return entry.content;
  if (entry.kind === 'symlink') return Buffer.from(entry.target);
  const itself = { number: node.number, kind: KINDS.directory };
  const named: Named[] = node.children.map(({ name, node: child }) => ({
    name: Buffer.from(name),
    number: child.number,
    kind: KINDS[child.entry.kind],
  }));
  const above = { ...itself, number: node.parent?.number ?? node.number };
  const dots = [
    { ...itself, name: Buffer.from('.') },
    { ...above, name: Buffer.from('..') },
  ];
  return directoryContent([...dots, ...named], BLOCK_BYTES);
}

/** A compact inode whose content lies in whole blocks. */
function inode(node: Node, place: { readonly size: number; readonly block: number }): Buffer {
  const bytes = Buffer.alloc(INODE_BYTES);
  const directories = node.children.filter(({ node: { entry } }) => entry.kind === 'directory');
  bytes.writeUInt16LE(modeOf(node.entry), 4);
  bytes.writeUInt16LE(node.entry.kind === 'directory' ? 2 + directories.length : 1, 6);
  bytes.writeUInt32LE(place.size, 8);
  bytes.writeUInt32LE(place.block, 16);
  bytes.writeUInt32LE(node.number - FIRST_INODE + 1, 20);
  return bytes;
}

function superblock(facts: {
  readonly inodes: number;
  readonly blocks: number;
  readonly label: string;
}): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const bytes = block.subarray(SUPERBLOCK_AT);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt32LE(HAS_CHECKSUM, 8);
  bytes.writeUInt8(BLOCK_BITS, 12);
  bytes.writeUInt16LE(FIRST_INODE, 14);
  bytes.writeBigUInt64LE(BigInt(facts.inodes), 16);
  bytes.writeUInt32LE(facts.blocks, 36);
  bytes.write(facts.label, 64, 16, 'latin1');
  bytes.writeUInt32LE(crc32c(bytes), 4);
  return block;
}
