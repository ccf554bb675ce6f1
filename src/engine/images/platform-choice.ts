/** The platform that a client asks for, and whether an image has it. */
import type { ImageConfig } from '../../oci/image-spec.ts';
import { type Platform, parsePlatform, runnablePlatforms } from '../../oci/platform.ts';
import { type ImageReference, parseReference } from '../../oci/reference.ts';
import type { ImageDeps } from './image-deps.ts';
import { invalidPlatform, invalidReference, wrongPlatform } from './image-errors.ts';
import type { ImageRecord } from './image-store.ts';
import { resolveImage } from './resolve-image.ts';

/** `host` where nothing is asked for. `invalid-argument` for what is no platform. */
export function toPlatform(text: string | undefined, host: Platform): Platform {
  if (text === undefined || text === '') return host;
  const platform = parsePlatform(text, host);
  if (platform === undefined) throw invalidPlatform(text);
  return platform;
}

/** The image that `ref` names. `not-found` when it is for another platform than the one asked for. */
export function findForPlatform(
  deps: Pick<ImageDeps, 'store' | 'platform'>,
  ref: string,
  platform: string | undefined,
): ImageRecord {
  const found = resolveImage(deps.store, ref);
  if (platform === undefined) return found.record;
  const name = found.by === 'name' ? found.name : found.record.document.tags[0];
  const parsed = parseReference(name ?? ref);
  if (!parsed.ok) throw invalidReference(parsed.problem);
  checkImagePlatform(parsed.reference, found.record.config, toPlatform(platform, deps.platform));
  return found.record;
}

/** An image without an index has one platform, which must be the one wanted: `not-found` otherwise. */
export function checkImagePlatform(
  reference: ImageReference,
  config: Pick<ImageConfig, 'os' | 'architecture' | 'variant'>,
  wanted: Platform,
): void {
  const { os, architecture, variant } = config;
  const found: Platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  const fits = runnablePlatforms(wanted).some(
    (platform) =>
      platform.os === os &&
      platform.architecture === architecture &&
      (variant === undefined || platform.variant === undefined || platform.variant === variant),
  );
  if (!fits) throw wrongPlatform(reference, found, wanted);
}
