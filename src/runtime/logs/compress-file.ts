/** Compressing a file that nobody writes to any more. */
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { temporaryNameFor } from '../../sys/fs/durable.ts';
import { isMissing } from '../../sys/system-errors.ts';

/**
 * Replaces `path` by `path.gz`. A crash leaves the one, both, or the other, each whole. A file that is removed before or
 * meanwhile is not there afterwards either.
 */
export async function compressFile(path: string): Promise<void> {
  const temporary = temporaryNameFor(`${path}.gz`);
  try {
    const output = createWriteStream(temporary, { flags: 'wx', mode: 0o600 });
    await pipeline(createReadStream(path), createGzip(), output);
    await rename(temporary, `${path}.gz`);
    await rm(path);
  } catch (error) {
    await rm(temporary, { force: true });
    if (!isMissing(error)) throw error;
    await rm(`${path}.gz`, { force: true });
  }
}
