/** A registry in memory: documents and blobs by repository, without a network. */
import { type Digest, digestOf, parseDigest } from '../../oci/digest.ts';
import { type ImageReference, repositoryName } from '../../oci/reference.ts';
import type {
  FetchedManifest,
  ImageRegistry,
  PushTarget,
  RegistryLimit,
  Repository,
} from '../image-registry.ts';
import { failureOf, toPullError } from '../registry/registry-errors.ts';

interface StoredManifest {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export class FakeRegistry implements ImageRegistry {
  readonly #manifests = new Map<string, StoredManifest>();
  readonly #blobs = new Map<Digest, Uint8Array>();
  /** How often each blob was asked for. */
  readonly downloads = new Map<Digest, number>();

  addBlob(bytes: Uint8Array): Digest {
    const digest = digestOf(bytes);
    this.#blobs.set(digest, bytes);
    return digest;
  }

  /** Makes a manifest reachable by its digest and by `tag` of a repository such as `docker.io/library/x`. */
  addManifest(repository: string, tag: string, manifest: StoredManifest): Digest {
    const digest = digestOf(manifest.bytes);
    this.#manifests.set(`${repository}/${tag}`, manifest);
    this.#manifests.set(`${repository}/${digest}`, manifest);
    return digest;
  }

  repository(reference: ImageReference): Repository {
    return {
      fetchManifest: async (tagOrDigest) => this.#fetch(reference, tagOrDigest),
      openBlob: (blob, _signal, offset) => this.#open(reference, blob.digest, offset),
      listTags: async () => this.#tags(reference),
    };
  }

  limits(): readonly RegistryLimit[] {
    return [];
  }

  pushTarget(reference: ImageReference): PushTarget {
    const repository = repositoryName(reference);
    const holds = (digest: Digest) => this.#blobs.has(digest);
    return {
      hasBlob: async (digest) => holds(digest),
      uploadBlob: async (blob, source) => {
        if (source.mountFrom !== undefined && holds(blob.digest)) return 'mounted';
        const chunks: Uint8Array[] = [];
        for await (const chunk of source.open(0)) chunks.push(chunk);
        this.addBlob(Buffer.concat(chunks));
        return 'uploaded';
      },
      putManifest: async (tagOrDigest, manifest) => {
        this.addManifest(repository, tagOrDigest, manifest);
      },
    };
  }

  #tags(reference: ImageReference): readonly string[] {
    const prefix = `${repositoryName(reference)}/`;
    const names = [...this.#manifests.keys()].filter((name) => name.startsWith(prefix));
    const tags = names.map((name) => name.slice(prefix.length)).filter((tag) => !tag.includes(':'));
    if (tags.length === 0) throw toPullError(unknown('NAME_UNKNOWN'), reference);
    return tags;
  }

  async search({ term, limit }: { readonly term: string; readonly limit: number }) {
    const names = [...this.#manifests.keys()].map((name) => name.slice(0, name.lastIndexOf('/')));
    const found = [...new Set(names)].filter((name) => name.includes(term)).slice(0, limit);
    const facts = { description: '', starCount: 0, isOfficial: false, isAutomated: false };
    return found.map((name) => ({ ...facts, name }));
  }

  async login(): Promise<{ status: string; identityToken: string }> {
    return { status: 'Login Succeeded', identityToken: '' };
  }

  #fetch(reference: ImageReference, tagOrDigest: string): FetchedManifest {
    const found = this.#manifests.get(`${repositoryName(reference)}/${tagOrDigest}`);
    if (found === undefined) throw toPullError(unknown('MANIFEST_UNKNOWN'), reference);
    return { ...found, digest: parseDigest(tagOrDigest) ?? digestOf(found.bytes) };
  }

  async *#open(reference: ImageReference, digest: Digest, offset = 0): AsyncGenerator<Uint8Array> {
    this.downloads.set(digest, (this.downloads.get(digest) ?? 0) + 1);
    const bytes = this.#blobs.get(digest)?.subarray(offset);
    if (bytes === undefined) throw toPullError(unknown('BLOB_UNKNOWN'), reference);
    const half = Math.ceil(bytes.length / 2);
    yield bytes.subarray(0, half);
    if (half < bytes.length) yield bytes.subarray(half);
  }
}

function unknown(code: string): Error {
  return failureOf(404, JSON.stringify({ errors: [{ code, message: '' }] }));
}
