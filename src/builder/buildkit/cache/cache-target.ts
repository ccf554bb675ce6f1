/** Places that caches are written to: a registry, a directory of the client. */
import type { ImageRegistry } from '../../../distribution/image-registry.ts';
import type { Descriptor } from '../../../oci/image-spec.ts';
import { EngineError } from '../../../shared/errors.ts';
import type { ContentStore } from '../../../storage/content-store.ts';
import { cacheReference } from '../../cache/remote/registry-cache.ts';
import { ClientContent } from '../session/client-content.ts';
import { fetchCredentials } from '../session/credentials.ts';
import type { Session } from '../session/session-registry.ts';

/** What is there already is not sent again. */
export interface CacheTarget {
  /** A blob of the store. */
  putLayer(blob: Descriptor, signal: AbortSignal): Promise<void>;
  putDocument(blob: Descriptor, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Makes the cache visible; all that it names is there. */
  putManifest(blob: Descriptor, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
}

export interface RegistryTargetDeps {
  readonly registry: Pick<ImageRegistry, 'pushTarget'>;
  readonly content: Pick<ContentStore, 'open'>;
}

interface Place {
  readonly attrs: ReadonlyMap<string, string>;
  readonly session: Session;
}

const attributeMissing = (type: string, name: string) =>
  new EngineError('invalid-argument', `${type} cache exporter requires ${name}`);

export async function registryTarget(
  { registry, content }: RegistryTargetDeps,
  { attrs, session }: Place,
  signal: AbortSignal,
): Promise<CacheTarget> {
  const ref = attrs.get('ref');
  if (ref === undefined || ref === '') throw attributeMissing('registry', 'ref');
  const reference = cacheReference(ref);
  const credentials = await fetchCredentials(session, reference.domain, signal);
  const target = registry.pushTarget(reference, credentials);
  const put = async (
    blob: Descriptor,
    open: (offset: number) => AsyncIterable<Uint8Array>,
    at: AbortSignal,
  ) => {
    if (!(await target.hasBlob(blob.digest, at))) await target.uploadBlob(blob, { open }, at);
  };
  return {
    putLayer: (blob, at) => put(blob, (offset) => stored(content, blob, offset), at),
    putDocument: (blob, bytes, at) => put(blob, (offset) => one(bytes.subarray(offset)), at),
    putManifest: ({ mediaType }, bytes, at) =>
      target.putManifest(reference.tag ?? '', { mediaType, bytes }, at),
  };
}

/** The client writes the layout's index itself. */
export async function localTarget(
  { content }: RegistryTargetDeps,
  { attrs, session }: Place,
): Promise<CacheTarget> {
  const dest = attrs.get('dest');
  if (dest === undefined || dest === '') throw attributeMissing('local', 'dest');
  const store = new ClientContent(session, dest);
  return {
    putLayer: (blob, signal) => store.write(blob, stored(content, blob, 0), signal),
    putDocument: (blob, bytes, signal) => store.write(blob, one(bytes), signal),
    putManifest: (blob, bytes, signal) => store.write(blob, one(bytes), signal),
  };
}

async function* stored(
  content: Pick<ContentStore, 'open'>,
  { digest }: Descriptor,
  offset: number,
): AsyncGenerator<Uint8Array> {
  yield* await content.open(digest, offset);
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
