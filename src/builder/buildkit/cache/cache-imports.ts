/** Caches that a client names for a build to look into. */

import { parseDigest } from '../../../oci/digest.ts';
import type { Descriptor } from '../../../oci/image-spec.ts';
import { EngineError } from '../../../shared/errors.ts';
import type { CredentialsFor } from '../../build-images.ts';
import { readCache } from '../../cache/remote/read-cache.ts';
import {
  MAX_DOCUMENT_BYTES,
  type RegistryCacheDeps,
  registryCache,
} from '../../cache/remote/registry-cache.ts';
import type { CacheImport, RemoteCache } from '../../solver.ts';
import { ClientContent } from '../session/client-content.ts';
import type { Session } from '../session/session-registry.ts';

/** As clients name one: `registry` and `local`, with their options. */
export interface NamedCache {
  readonly type: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export const unknownCache = (type: string) =>
  new EngineError(
    'not-implemented',
    `caches of type ${type} are not served: use registry, local or inline`,
  );

const badCache = (type: string, problem: string) =>
  new EngineError('invalid-argument', `${type} cache importer: ${problem}`);

/** What is wrong with a cache is told when it is loaded: it does not fail the build. */
export function cacheImports(
  deps: RegistryCacheDeps,
  caches: readonly NamedCache[],
  client: { readonly session: Session; readonly credentialsFor: CredentialsFor },
): readonly CacheImport[] {
  return caches.map((cache) => {
    const { type, attributes } = cache;
    const { ref = '', src = '' } = attributes;
    if (type === 'registry')
      return registryCache(deps, { ref, credentialsFor: client.credentialsFor });
    if (type === 'local') {
      return {
        name: `local directory ${src}`,
        load: (signal) => loadLocal(client.session, cache, signal),
      };
    }
    const refused = async () => {
      throw unknownCache(type);
    };
    return { name: type, load: refused };
  });
}

async function loadLocal(
  session: Session,
  { attributes }: NamedCache,
  signal: AbortSignal,
): Promise<RemoteCache> {
  const digest = parseDigest(attributes['digest'] ?? '');
  if (digest === undefined) throw badCache('local', 'digest is missing');
  const content = new ClientContent(session, attributes['src'] ?? '');
  const size = await content.stat(digest, signal);
  if (size === undefined || size > MAX_DOCUMENT_BYTES)
    throw badCache('local', `${digest} is not there`);
  const bytes = await content.read({ digest, size }, signal);
  const place = {
    read: (blob: Pick<Descriptor, 'digest' | 'size'>, at: AbortSignal) => content.read(blob, at),
    open: (blob: Descriptor, at: AbortSignal) => content.open(blob, at),
  };
  return await readCache(place, { mediaType: mediaTypeOf(bytes), bytes }, signal);
}

function mediaTypeOf(bytes: Uint8Array): string {
  const { mediaType } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { mediaType?: string };
  return mediaType ?? '';
}
