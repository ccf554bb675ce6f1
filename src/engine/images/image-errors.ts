/** Errors of images, in Docker's words: clients match on them. */
import type { Digest } from '../../oci/digest.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import {
  familiarReference,
  type ImageReference,
  parseReference,
  withDefaultTag,
} from '../../oci/reference.ts';
import { EngineError } from '../../shared/errors.ts';

/** Nothing is called so. */
export function noSuchImage(ref: string): EngineError {
  const parsed = parseReference(ref);
  const shown = parsed.ok ? familiarReference(withDefaultTag(parsed.reference)) : ref;
  return new EngineError('not-found', `No such image: ${shown}`);
}

/** A reference that is not well-formed; `problem` is the parser's text. */
export function invalidReference(problem: string): EngineError {
  return new EngineError('invalid-argument', problem);
}

/** A tag that carries a digest. */
export function tagWithDigest(): EngineError {
  return new EngineError('invalid-argument', 'refusing to create a tag with a digest reference');
}

/** `sha256:…` would be taken for an image's id. */
export function tagLikeDigest(): EngineError {
  return new EngineError(
    'invalid-argument',
    'refusing to create an ambiguous tag using digest algorithm as name',
  );
}

/** An instruction of `--change` that cannot be carried out. */
export function malformedChange(problem: string): EngineError {
  return new EngineError('invalid-argument', problem);
}

/** What an import is to come from and cannot. */
export function invalidImportSource(source: string, reason: string): EngineError {
  return new EngineError(
    'invalid-argument',
    `cannot import from ${JSON.stringify(source)}: ${reason}`,
  );
}

/** A search for more results than an index gives. */
export function invalidSearchLimit(limit: number, max: number): EngineError {
  return new EngineError('invalid-argument', `limit ${limit} is outside the range of [1, ${max}]`);
}

/** A push of something that a digest names. */
export function pushWithDigest(): EngineError {
  return new EngineError('invalid-argument', 'cannot push a digest reference');
}

/** A push of a repository that no image here is called by. */
export function noImageInRepository(repository: string): EngineError {
  return new EngineError(
    'not-found',
    `An image does not exist locally with the tag: ${repository}`,
  );
}

/** A push of a tag that is not there, though others of the repository are. */
export function noSuchTag(reference: string): EngineError {
  return new EngineError('not-found', `tag does not exist: ${reference}`);
}

/** A platform that cannot be parsed. */
export function invalidPlatform(text: string): EngineError {
  const problem = /^[A-Za-z0-9_.-]+$/.test(text)
    ? 'unknown operating system or architecture: invalid argument'
    : 'platform specifier components must match "^[A-Za-z0-9_.-]+$": invalid argument';
  return new EngineError('invalid-argument', `${JSON.stringify(text)}: ${problem}`);
}

/** An image for several platforms that lacks the one wanted. */
export function noMatchingManifest(platform: Platform): EngineError {
  return new EngineError(
    'not-found',
    `no matching manifest for ${formatPlatform(platform)} in the manifest list entries`,
  );
}

/** An image for one platform, which is not the one wanted. */
export function wrongPlatform(
  reference: ImageReference,
  found: Platform,
  wanted: Platform,
): EngineError {
  return new EngineError(
    'not-found',
    `image with reference ${familiarReference(reference)} was found but its platform (${formatPlatform(found)}) ` +
      `does not match the specified platform (${formatPlatform(wanted)})`,
  );
}

/** An operating system that containers here cannot have. */
export function wrongOperatingSystem(os: string): EngineError {
  return new EngineError(
    'invalid-argument',
    `image operating system "${os}" cannot be used on this platform`,
  );
}

/** A manifest in the form that registries had before 2016. */
export function schema1Manifest(reference: ImageReference): EngineError {
  return new EngineError(
    'not-implemented',
    `Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed. ` +
      `Ask the author of ${familiarReference(reference)} to upgrade the image to the OCI Format or Docker Image manifest v2, schema 2`,
  );
}

/** A document that is no manifest of a container image. */
export function unsupportedManifest(mediaType: string): EngineError {
  return new EngineError(
    'invalid-argument',
    `unsupported manifest media type ${mediaType === '' ? '(none)' : mediaType}: it is not a container image`,
  );
}

/** A manifest whose config belongs to something else than a container image. */
export function notAnImage(mediaType: string): EngineError {
  return new EngineError(
    'invalid-argument',
    `unsupported config media type ${mediaType}: it is not a container image but another kind of artifact`,
  );
}

/** A layer that its registry does not have. */
export function foreignLayer(mediaType: string): EngineError {
  return new EngineError(
    'not-implemented',
    `layers that are not in the registry (${mediaType}) are not supported: ask the author for an image without them`,
  );
}

/** A layer of an unknown type. */
export function unsupportedLayer(mediaType: string): EngineError {
  return new EngineError('not-implemented', `unsupported layer media type ${mediaType}`);
}

/** A manifest, index or config that cannot be understood. */
export function malformedDocument(what: string, problem: string): EngineError {
  return new EngineError('corrupt', `malformed ${what}: ${problem}`);
}

/** Manifest and config that do not speak of the same layers. */
export function layerCountMismatch(layers: number, diffIds: number): EngineError {
  return new EngineError(
    'corrupt',
    `layers from manifest don't match image configuration: ${layers} layers, ${diffIds} diffIDs`,
  );
}

/** A filter with a value that makes no sense. */
export function invalidFilterValue(
  name: string,
  values: readonly string[],
  cause?: unknown,
): EngineError {
  return new EngineError(
    'invalid-argument',
    `invalid filter '${name}=[${values.join(' ')}]'`,
    cause === undefined ? {} : { cause },
  );
}

/** The last name of an image that a container was made from. */
export function referenceInUse(ref: string, user: { id: string }, imageId: Digest): EngineError {
  return new EngineError(
    'conflict',
    `conflict: unable to remove repository reference ${JSON.stringify(ref)} (must force) - ` +
      `container ${user.id.slice(0, 12)} is using its referenced image ${shortImageId(imageId)}`,
  );
}

/** Why an image cannot be deleted, and whether force would help. */
export interface DeleteConflict {
  readonly imageId: Digest;
  readonly canBeForced: boolean;
  readonly reason: string;
}

/** An image that something needs. */
export function deleteConflict(conflict: DeleteConflict): EngineError {
  const force = conflict.canBeForced ? 'must be forced' : 'cannot be forced';
  const id = shortImageId(conflict.imageId);
  return new EngineError(
    'conflict',
    `conflict: unable to delete ${id} (${force}) - ${conflict.reason}`,
  );
}

/** An image, or a name, that is of a shared store. */
export function sharedImage(name: string, dir: string): EngineError {
  return new EngineError(
    'conflict',
    `conflict: unable to delete ${name} (cannot be forced) - it is in the shared image store ${dir}, which is read-only`,
  );
}

/** A blob is damaged, and the image names no registry to fetch it from. */
export function notInRegistry(): EngineError {
  return new EngineError('not-found', 'it is from no registry that is known');
}

/** The client left before the end. */
export function transferCancelled(cause: unknown): EngineError {
  return new EngineError('cancelled', 'context canceled', { cause });
}

/** The 12 digits that Docker shows of an image id. */
export function shortImageId(id: Digest): string {
  return id.slice('sha256:'.length, 'sha256:'.length + 12);
}
