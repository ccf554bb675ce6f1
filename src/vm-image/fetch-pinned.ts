/** Downloads what is pinned, checks it, and keeps it for the next time. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileDurably } from '../sys/fs/durable.ts';
import { ensurePrivateDir } from '../sys/fs/private-dir.ts';
import { fromNodeError, isMissing } from '../sys/system-errors.ts';
import { wrongDigest } from './vm-image-errors.ts';

/** Reads what is at a URL; rejects when the server does not have it. At most `maxBytes` are read. */
export type Download = (url: string, maxBytes: number) => Promise<Buffer>;

/** What to fetch. */
export interface PinnedFile {
  readonly url: string;
  readonly maxBytes: number;
  /** `sha256-<hex>` or, as npm has it, `sha512-<base64>`. */
  readonly digest: string;
}

/** The file from `cacheDir` or the network. `corrupt` when it is not the one that was pinned; then nothing is kept. */
export async function fetchPinned(
  file: PinnedFile,
  cacheDir: string,
  download: Download,
): Promise<Buffer> {
  const kept = join(cacheDir, file.digest.replaceAll(/[/+=]/g, '_'));
  const cached = await readKept(kept);
  if (cached !== undefined && digestLike(file.digest, cached) === file.digest) return cached;
  const bytes = await download(file.url, file.maxBytes);
  const found = digestLike(file.digest, bytes);
  if (found !== file.digest) throw wrongDigest(file.url, file.digest, found);
  await ensurePrivateDir(cacheDir);
  await writeFileDurably(kept, bytes);
  return bytes;
}

function digestLike(expected: string, bytes: Buffer): string {
  const isNpm = expected.startsWith('sha512-');
  return isNpm
    ? `sha512-${createHash('sha512').update(bytes).digest('base64')}`
    : `sha256-${createHash('sha256').update(bytes).digest('hex')}`;
}

async function readKept(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw fromNodeError(error, `read ${path}`);
  }
}
