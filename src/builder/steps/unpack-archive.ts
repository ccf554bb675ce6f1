/** Archives that ADD unpacks: tar, plain or compressed. */
import { createReadStream } from 'node:fs';
import type { FileOwner } from '../../storage/layer-owners.ts';
import { decompressed } from '../../sys/compression/decompress.ts';
import type { BuilderDeps } from '../builder-deps.ts';
import { OWNERS_ON_DISK } from '../contexts/copy-contents.ts';
import type { Selection } from './select-files.ts';

const BLOCK_BYTES = 512;
/** Where a header of tar has its magic text, and where its sum is (tar(5)). */
const MAGIC = { at: 257, text: 'ustar' };
const SUM = { at: 148, length: 8 };

/** Those selections that are archives. */
export async function archivesAmong(
  selections: readonly Selection[],
): Promise<readonly Selection[]> {
  const archives: Selection[] = [];
  for (const selection of selections) {
    const [file] = selection.files;
    if (selection.isDirectory || file?.stats.isFile() !== true) continue;
    if (await isArchive(file.path)) archives.push(selection);
  }
  return archives;
}

/** Unpacks an archive into a directory of a root file system. */
export async function unpackArchive(
  deps: Pick<BuilderDeps, 'trees'>,
  archive: string,
  to: { readonly rootfsDir: string; readonly path: string; readonly owner: FileOwner | undefined },
): Promise<void> {
  const tree = await deps.trees.open(to.rootfsDir, [], OWNERS_ON_DISK);
  try {
    const { owner } = to;
    await tree.extract(to.path, createReadStream(archive), { keepKinds: false, owner });
  } finally {
    await tree.close();
  }
}

async function isArchive(path: string): Promise<boolean> {
  const source = createReadStream(path, { highWaterMark: 64 * 1024 });
  try {
    let head = Buffer.alloc(0);
    for await (const chunk of decompressed(source)) {
      head = Buffer.concat([head, chunk]);
      if (head.length >= BLOCK_BYTES) break;
    }
    return isTarHeader(head);
  } catch {
    // Compressed in some way that cannot be read, or not at all: an ordinary file.
    return false;
  } finally {
    source.destroy();
  }
}

function isTarHeader(block: Buffer): boolean {
  if (block.length < BLOCK_BYTES) return false;
  if (block.toString('latin1', MAGIC.at, MAGIC.at + MAGIC.text.length) === MAGIC.text) return true;
  const field = block
    .toString('latin1', SUM.at, SUM.at + SUM.length)
    .replaceAll('\0', ' ')
    .trim();
  if (!/^[0-7]+$/.test(field)) return false;
  let sum = SUM.length * ' '.charCodeAt(0);
  for (const [at, byte] of block.subarray(0, BLOCK_BYTES).entries()) {
    if (at < SUM.at || at >= SUM.at + SUM.length) sum += byte;
  }
  return sum === Number.parseInt(field, 8);
}
