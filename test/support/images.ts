/** Images that tests run. */
import { embeddedImage } from '../../scripts/embedded-image.ts';
import type { ImageRecipe } from '../../scripts/image/image-archive.ts';
import { tarOf } from '../../scripts/image/tar-of.ts';

/** The image that every daemon brings along. */
export const BUSYBOX = 'wherry/busybox';

const CREATED = '2025-01-01T00:00:00.000Z';

/** An image with one file `/name` in each of its layers. Content that differs gives another digest. */
export async function filesImage(
  reference: string,
  files: Readonly<Record<string, string>>,
): Promise<ImageRecipe> {
  const layers = Object.entries(files).map(async ([path, content]) => ({
    tar: await tarOf([{ kind: 'file', path, mode: 0o644, content: Buffer.from(content) }], 0),
    createdBy: `the file ${path}`,
  }));
  return {
    reference,
    created: CREATED,
    config: { Cmd: ['/none'] },
    layers: await Promise.all(layers),
  };
}

/** An archive of the busybox image under another name, for `docker load`. */
export function busyboxArchive(reference: string): Promise<Buffer> {
  return embeddedImage(reference);
}
