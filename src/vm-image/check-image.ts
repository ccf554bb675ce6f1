/** Whether an image is as it was made. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fromNodeError } from '../sys/system-errors.ts';
import { readImage } from './image-document.ts';
import { wrongDigest } from './vm-image-errors.ts';

/** Reads every file of the image; `corrupt` when one is not what `image.json` says, other kinds when it cannot be read. */
export async function checkImage(dir: string): Promise<void> {
  for (const { name, sha256 } of (await readImage(dir)).files) {
    const path = join(dir, name);
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash).catch((error: unknown) => {
      throw fromNodeError(error, `read ${path}`);
    });
    const found = hash.digest('hex');
    if (found !== sha256) throw wrongDigest(path, sha256, found);
  }
}
