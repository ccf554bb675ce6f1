/** Takes an image that somebody has built and published, instead of building it. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type BrotliCompress, brotliDecompress, constants, createBrotliCompress } from 'node:zlib';
import { writeFileDurably } from '../sys/fs/durable.ts';
import type { Download } from './fetch-pinned.ts';
import {
  decodeImage,
  encodeImage,
  IMAGE_DOCUMENT,
  type ImageFile,
  type VmImage,
  writeImageFile,
} from './image-document.ts';
import { replaceDirectory } from './replace-directory.ts';
import { badPublishedImage, wrongDigest } from './vm-image-errors.ts';

/** After the name of a file in its published form. */
export const PACKED_ENDING = '.br';
const MOST_DOCUMENT_BYTES = 64 * 1024;
/** What packing may add to a file that cannot be made smaller. */
const PACKING_BYTES = 1 << 16;
const QUALITY = 9;

const unpack = promisify(brotliDecompress);

export interface PullRequest {
  /** Where `image.json` is. */
  readonly url: string;
  /** Digest of `image.json` in hex; undefined to trust the server. */
  readonly sha256: string | undefined;
  readonly outputDir: string;
  readonly download: Download;
  readonly onStep: (text: string) => void;
}

/** `corrupt` when anything is not what `image.json` says; then the output directory is as it was. */
export async function pullImage(request: PullRequest): Promise<VmImage> {
  const base = request.url.replace(/\/$/, '');
  const documentUrl = `${base}/${IMAGE_DOCUMENT}`;
  const document = await request.download(documentUrl, MOST_DOCUMENT_BYTES);
  const digest = createHash('sha256').update(document).digest('hex');
  if (request.sha256 !== undefined && request.sha256 !== digest) {
    throw wrongDigest(documentUrl, request.sha256, digest);
  }
  const image = decodeImage(document, documentUrl);
  return replaceDirectory(request.outputDir, async (dir) => {
    for (const file of image.files) {
      request.onStep(file.name);
      await pullFile(file, { ...request, dir, url: `${base}/${file.name}${PACKED_ENDING}` });
    }
    await writeFileDurably(join(dir, IMAGE_DOCUMENT), encodeImage(image));
    return image;
  });
}

async function pullFile(
  file: ImageFile,
  to: { readonly dir: string; readonly url: string; readonly download: Download },
): Promise<void> {
  const bytes = await to.download(to.url, file.size + PACKING_BYTES);
  // A small packed file can hold a memory full of zeros.
  const limit = { maxOutputLength: Math.max(1, file.size) };
  const plain = await unpack(bytes, limit).catch((error: unknown) => {
    throw badPublishedImage(to.url, 'damaged or cut short', error);
  });
  const written = await writeImageFile(to.dir, file.name, [plain]);
  if (written.sha256 !== file.sha256) throw wrongDigest(to.url, file.sha256, written.sha256);
}

/** Makes the published form of a file of this size. */
export function packer(sizeBytes: number): BrotliCompress {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: sizeBytes,
  };
  return createBrotliCompress({ params });
}
