/** The platform that a client asks for, and whether an image has it. */
import type { ImageConfig } from '../../oci/image-spec.ts';
import { type Platform, parsePlatform, runnablePlatforms } from '../../oci/platform.ts';
import type { ImageReference } from '../../oci/reference.ts';
import { invalidPlatform, wrongPlatform } from './image-errors.ts';

/** `host` where nothing is asked for. `invalid-argument` for what is no platform. */
export function toPlatform(text: string | undefined, host: Platform): Platform {
  if (text === undefined || text === '') return host;
  const platform = parsePlatform(text, host);
  if (platform === undefined) throw invalidPlatform(text);
  return platform;
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
