/** `GET /distribution/{name}/json`: what a registry holds under a name, without fetching the image. */
import type { PullRequest, RemoteImage } from '../../api/image-backend.ts';
import type { FetchedManifest, Repository } from '../../distribution/image-registry.ts';
import { decodeImageConfig, decodeIndex, decodeJson } from '../../oci/decode-image.ts';
import { isIndexType } from '../../oci/media-types.ts';
import type { Platform } from '../../oci/platform.ts';
import { parseReference, withDefaultTag } from '../../oci/reference.ts';
import type { ImageDeps } from './image-deps.ts';
import { invalidReference, malformedDocument } from './image-errors.ts';
import { MAX_DOCUMENT_BYTES } from './image-store.ts';
import { fetchTyped, isAttestation, parseImageManifest } from './select-manifest.ts';

/** `not-found` in Docker's words for what does not exist or may not be read. */
export async function describeRemoteImage(
  deps: ImageDeps,
  request: Pick<PullRequest, 'image' | 'credentials'>,
  signal: AbortSignal,
): Promise<RemoteImage> {
  const parsed = parseReference(request.image);
  if (!parsed.ok) throw invalidReference(parsed.problem);
  const reference = withDefaultTag(parsed.reference);
  const repository = deps.registry.repository(reference, request.credentials);
  const wanted = reference.digest ?? reference.tag ?? '';
  const top = await fetchTyped(repository, wanted, signal);
  const { mediaType, digest, bytes } = top;
  const platforms = isIndexType(mediaType)
    ? platformsOfIndex(top)
    : [await platformOfImage(repository, top, signal)];
  return { descriptor: { mediaType, digest, size: bytes.length }, platforms };
}

function platformsOfIndex({ bytes }: FetchedManifest): readonly Platform[] {
  const decoded = decodeJson(bytes, decodeIndex);
  if (!decoded.ok) throw malformedDocument('manifest list', decoded.problem);
  return decoded.value.manifests.flatMap((child) =>
    child.platform === undefined || isAttestation(child) ? [] : [child.platform],
  );
}

async function platformOfImage(
  repository: Repository,
  { bytes }: FetchedManifest,
  signal: AbortSignal,
): Promise<Platform> {
  const { config } = parseImageManifest(bytes);
  if (config.size > MAX_DOCUMENT_BYTES) {
    throw malformedDocument('image config', `${config.size} bytes is too long`);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of repository.openBlob(config, signal)) chunks.push(chunk);
  const decoded = decodeJson(Buffer.concat(chunks), decodeImageConfig);
  if (!decoded.ok) throw malformedDocument('image config', decoded.problem);
  const { os, architecture, variant } = decoded.value;
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}
