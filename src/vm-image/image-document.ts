/** `image.json`: what an image consists of. It is written last, so that a directory with it is whole. */
import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { fromNodeError } from '../sys/system-errors.ts';
import { ARCHITECTURES, type Architecture } from './recipe/recipe.ts';
import { badPublishedImage } from './vm-image-errors.ts';

export const IMAGE_DOCUMENT = 'image.json';

const fileSchema = v.strictObject({
  name: v.picklist(['vmlinuz', 'initrd', 'root.erofs', 'root.tar']),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** In hex. */
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
});

const imageSchema = v.strictObject({
  v: v.literal(1),
  architecture: v.picklist(ARCHITECTURES),
  /** As `uname -r` prints it in the guest. */
  kernel: v.string(),
  files: v.array(fileSchema),
});

export type ImageFile = v.InferOutput<typeof fileSchema>;
export interface VmImage {
  readonly v: 1;
  readonly architecture: Architecture;
  readonly kernel: string;
  readonly files: readonly ImageFile[];
}

/** Decodes the document; `corrupt` when it is not one. `from` is what the message calls it. */
export function decodeImage(bytes: Buffer, from: string): VmImage {
  let raw: unknown;
  try {
    raw = JSON.parse(bytes.toString());
  } catch (error) {
    throw badPublishedImage(from, 'not an image of a virtual machine', error);
  }
  const result = v.safeParse(imageSchema, raw);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw badPublishedImage(from, `${v.getDotPath(issue) ?? 'the document'}: ${issue.message}`);
}

/** The document's bytes: the same image gives the same. */
export function encodeImage(image: VmImage): Buffer {
  return Buffer.from(`${JSON.stringify(image, undefined, 2)}\n`);
}

/** The image in a directory. */
export async function readImage(dir: string): Promise<VmImage> {
  const path = join(dir, IMAGE_DOCUMENT);
  const bytes = await readFile(path).catch((error: unknown) => {
    throw fromNodeError(error, `read ${path}`);
  });
  return decodeImage(bytes, path);
}

/** Writes a file of an image and makes it durable; resolves to what the document says of it. */
export async function writeImageFile(
  dir: string,
  name: ImageFile['name'],
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<ImageFile> {
  const hash = createHash('sha256');
  let size = 0;
  try {
    const file = await open(join(dir, name), 'wx', 0o644);
    try {
      for await (const piece of pieces) {
        hash.update(piece);
        size += piece.length;
        await file.writeFile(piece);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fromNodeError(error, `write ${join(dir, name)}`);
  }
  return { name, size, sha256: hash.digest('hex') };
}
