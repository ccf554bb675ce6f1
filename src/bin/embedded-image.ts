/** A first start has an image to run although no registry was asked. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { ImageService } from '../engine/images/image-service.ts';
import type { Logger } from '../shared/logger.ts';
import { embeddedImagePath } from './program-paths.ts';

/** Loads the embedded image into a store that has no image yet: a user who removed it does not get it back. */
export async function loadEmbeddedImage(images: ImageService, logger: Logger): Promise<void> {
  const stored = await images.list({ all: true, filters: new Map() });
  const path = embeddedImagePath();
  if (stored.length > 0 || !(await isFile(path))) return;
  const { signal } = new AbortController();
  try {
    for await (const message of images.load(createReadStream(path), { quiet: true }, signal)) {
      logger.info('loaded the embedded image', { ...message });
    }
  } catch (error) {
    logger.warn('cannot load the embedded image', { path, error });
  }
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  );
}
