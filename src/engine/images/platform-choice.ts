/** The platform that a client asks for, and whether an image has it. */
import type { ImageConfig } from '../../oci/image-spec.ts';
import {
  normalizePlatform,
  type Platform,
  parsePlatform,
  runnablePlatforms,
} from '../../oci/platform.ts';
import { type ImageReference, parseReference } from '../../oci/reference.ts';
import type { ImageDeps } from './image-deps.ts';
import { invalidPlatform, invalidReference, wrongPlatform } from './image-errors.ts';
import type { ImageRecord } from './image-store.ts';
import { type FoundImage, resolveImage } from './resolve-image.ts';

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
  const wanted = toPlatform(platform, deps.platform);
  checkImagePlatform(shownName(found, ref), found.record.config, wanted);
  return found.record;
}

/** The same for exactly that platform: not for one whose programs run on it as well. */
export function findOfPlatform(
  deps: Pick<ImageDeps, 'store' | 'platform'>,
  ref: string,
  platform: string,
): ImageRecord {
  const found = resolveImage(deps.store, ref);
  const wanted = toPlatform(platform, deps.platform);
  const own = platformOf(found.record.config);
  if (!isSame(own, wanted)) throw wrongPlatform(shownName(found, ref), own, wanted);
  return found.record;
}

/** For messages only. */
function shownName(found: FoundImage, ref: string): ImageReference {
  const name = found.by === 'name' ? found.name : found.record.document.tags[0];
  const parsed = parseReference(name ?? ref);
  if (!parsed.ok) throw invalidReference(parsed.problem);
  return parsed.reference;
}

/** An image without an index has one platform, which must be the one wanted: `not-found` otherwise. */
export function checkImagePlatform(
  reference: ImageReference,
  config: PlatformConfig,
  wanted: Platform,
): void {
  const found = platformOf(config);
  const fits = runnablePlatforms(wanted).some((platform) => isSame(found, platform));
  if (!fits) throw wrongPlatform(reference, found, wanted);
}

type PlatformConfig = Pick<ImageConfig, 'os' | 'architecture' | 'variant'>;

function platformOf({ os, architecture, variant }: PlatformConfig): Platform {
  const written = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  return normalizePlatform(written);
}

/** A variant that only one of them has makes no difference. */
function isSame(one: Platform, other: Platform): boolean {
  return (
    one.os === other.os &&
    one.architecture === other.architecture &&
    (one.variant === undefined || other.variant === undefined || one.variant === other.variant)
  );
}
