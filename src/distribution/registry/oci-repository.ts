/** Reading from one repository of a registry that speaks the OCI distribution API. */
import * as v from 'valibot';
import { type Digest, digestOf, parseDigest } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/image-spec.ts';
import { MANIFEST_ACCEPT } from '../../oci/media-types.ts';
import type { ImageReference } from '../../oci/reference.ts';
import type { FetchedManifest, Repository } from '../image-registry.ts';
import { streamBlob } from './blob-stream.ts';
import { type IncomingResponse, readBody } from './http-transport.ts';
import { describeRateLimit } from './rate-limit.ts';
import type { RegistryConnection } from './registry-connection.ts';
import {
  documentTooLarge,
  isUnreachable,
  malformedTagList,
  manifestMismatch,
  RegistryFailure,
  toPullError,
} from './registry-errors.ts';
import { type RetryPolicy, withRetries } from './retry.ts';

/** No honest manifest is larger (distribution specification, "Pushing Manifests"). */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
/** A registry that pages for ever is given up. */
const MAX_TAGS = 100_000;

interface TagPage {
  readonly tags: readonly string[];
  /** Path of the next page. */
  readonly next: string | undefined;
}

/** The way to a repository. */
export interface RepositoryAccess {
  readonly connections: readonly RegistryConnection[];
  readonly policy: RetryPolicy;
  /** Told what the registry says of its limits, in words. */
  readonly heardLimit: (left: string) => void;
}

export class OciRepository implements Repository {
  readonly #reference: ImageReference;
  readonly #connections: readonly RegistryConnection[];
  readonly #policy: RetryPolicy;
  readonly #heardLimit: RepositoryAccess['heardLimit'];

  constructor(reference: ImageReference, access: RepositoryAccess) {
    this.#reference = reference;
    this.#connections = access.connections;
    this.#policy = access.policy;
    this.#heardLimit = access.heardLimit;
  }

  fetchManifest(tagOrDigest: string, signal: AbortSignal): Promise<FetchedManifest> {
    return this.#firstThatWorks((connection) =>
      withRetries(this.#policy, signal, () => this.#fetchOnce(connection, tagOrDigest, signal)),
    );
  }

  async *openBlob(
    blob: Pick<Descriptor, 'digest' | 'size'>,
    signal: AbortSignal,
    offset = 0,
  ): AsyncGenerator<Uint8Array> {
    const scope = this.#scope();
    const path = this.#path('blobs', blob.digest);
    let failure: unknown;
    for (const connection of this.#connections) {
      let started = false;
      try {
        const policy = this.#policy;
        for await (const chunk of streamBlob({
          connection,
          path,
          scope,
          blob,
          policy,
          signal,
          offset,
        })) {
          started = true;
          yield chunk;
        }
        return;
      } catch (error) {
        failure = error;
        if (started || signal.aborted) break;
      }
    }
    throw toPullError(failure, this.#reference);
  }

  async #firstThatWorks<T>(attempt: (connection: RegistryConnection) => Promise<T>): Promise<T> {
    let failure: unknown;
    for (const connection of this.#connections) {
      try {
        return await attempt(connection);
      } catch (error) {
        failure = error;
        const passing = error instanceof RegistryFailure || isUnreachable(error);
        if (!connection.isMirror || !passing) break;
      }
    }
    throw toPullError(failure, this.#reference);
  }

  async #fetchOnce(
    connection: RegistryConnection,
    tagOrDigest: string,
    signal: AbortSignal,
  ): Promise<FetchedManifest> {
    const path = this.#path('manifests', tagOrDigest);
    const headers = { accept: MANIFEST_ACCEPT };
    const response = await connection.send({ path, scope: this.#scope(), headers, signal });
    const bytes = await readBody(response, 'manifest', MAX_MANIFEST_BYTES);
    const digest = digestOf(bytes);
    const wanted: Digest | undefined = parseDigest(tagOrDigest);
    if (wanted !== undefined && wanted !== digest) throw manifestMismatch(wanted, digest);
    const contentType = response.headers['content-type'] ?? '';
    const mediaType = contentType.split(';')[0]?.trim() ?? '';
    const rateLimit = describeRateLimit(response.headers);
    if (rateLimit !== undefined && !connection.isMirror) this.#heardLimit(rateLimit);
    return { mediaType, digest, bytes, rateLimit };
  }

  async listTags(signal: AbortSignal): Promise<readonly string[]> {
    const tags: string[] = [];
    let next: string | undefined = `v2/${this.#reference.path}/tags/list`;
    while (next !== undefined) {
      const path: string = next;
      const page: TagPage = await this.#firstThatWorks((connection) =>
        withRetries(this.#policy, signal, () => this.#fetchTags(connection, path, signal)),
      );
      tags.push(...page.tags);
      if (tags.length > MAX_TAGS) throw documentTooLarge('list of tags', MAX_MANIFEST_BYTES);
      next = page.tags.length === 0 ? undefined : page.next;
    }
    return tags;
  }

  async #fetchTags(
    connection: RegistryConnection,
    path: string,
    signal: AbortSignal,
  ): Promise<TagPage> {
    const response = await connection.send({ path, scope: this.#scope(), signal });
    const bytes = await readBody(response, 'list of tags', MAX_MANIFEST_BYTES);
    return { tags: parseTags(bytes), next: nextPage(response) };
  }

  #scope(): string {
    return `repository:${this.#reference.path}:pull`;
  }

  #path(kind: 'manifests' | 'blobs', name: string): string {
    return `v2/${this.#reference.path}/${kind}/${name}`;
  }
}

const TagListSchema = v.object({ tags: v.nullish(v.array(v.string()), []) });

function parseTags(bytes: Uint8Array): readonly string[] {
  try {
    return v.parse(TagListSchema, JSON.parse(Buffer.from(bytes).toString('utf8'))).tags ?? [];
  } catch (error) {
    throw malformedTagList(error);
  }
}

/** The `Link` header with `rel="next"` (RFC 5988), as a path of the same server. */
function nextPage(response: IncomingResponse): string | undefined {
  const link = /<([^>]+)>\s*;\s*rel="?next"?/.exec(String(response.headers['link'] ?? ''))?.[1];
  if (link === undefined || !URL.canParse(link, response.url.href)) return undefined;
  const url = new URL(link, response.url);
  return `${url.pathname.slice(1)}${url.search}`;
}
