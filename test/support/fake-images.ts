/** Images in memory, for tests of the API: `busybox:latest`, and whatever is pulled. */
import type {
  ImageBackend,
  ImageSearch,
  ImportRequest,
  PullRequest,
  PushRequest,
  RemoveImageOptions,
  SaveRequest,
} from '../../src/api/image-backend.ts';
import type { CheckOptions } from '../../src/engine/images/check/check-run.ts';
import type { ImageView } from '../../src/engine/images/image-view.ts';
import type { StorageLine } from '../../src/handshake/storage-report.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { EngineError } from '../../src/shared/errors.ts';
import { FAKE_TIME } from './fake-containers.ts';

export class FakeImages implements ImageBackend {
  /** What was imported last, and from how many bytes. */
  imported: { readonly request: ImportRequest; readonly bytes: number } | undefined;
  readonly #views = new Map<string, ImageView>();

  constructor() {
    this.#add('busybox:latest');
  }

  async *check(options: CheckOptions): AsyncGenerator<StorageLine> {
    const left = options.repairs ? 0 : 1;
    yield { summary: { images: 1, blobs: 2, layers: 3, findings: 1, left } };
  }

  #add(name: string): void {
    const diffId = digestOf('layer');
    const manifest = {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: digestOf(`${name} manifest`),
      size: 100,
    };
    this.#views.set(name, {
      id: digestOf(name),
      parentId: undefined,
      config: {
        created: FAKE_TIME,
        architecture: 'amd64',
        os: 'linux',
        config: { Cmd: ['sh'] },
        rootfs: { type: 'layers', diff_ids: [diffId] },
      },
      manifest,
      descriptor: manifest,
      repoTags: [name],
      repoDigests: [],
      sizeBytes: 1234,
      containerCount: 0,
      lastTaggedAt: FAKE_TIME,
      layerChainIds: [diffId],
    });
  }

  async list({ manifests }: { manifests?: boolean } = {}): Promise<readonly ImageView[]> {
    const views = [...this.#views.values()];
    return manifests === true ? views.map((view) => ({ ...view, manifests: [] })) : views;
  }

  async inspect(ref: string, { manifests }: { manifests?: boolean } = {}): Promise<ImageView> {
    const view = this.#views.get(ref) ?? this.#views.get(`${ref}:latest`);
    if (view === undefined) throw new EngineError('not-found', `No such image: ${ref}`);
    return manifests === true ? { ...view, manifests: [] } : view;
  }

  async history(ref: string) {
    const { id } = await this.inspect(ref);
    return [{ id, createdSeconds: 0, createdBy: 'sh', tags: [ref], sizeBytes: 1, comment: '' }];
  }

  async pull({ image, tag = 'latest', credentials }: PullRequest) {
    if (image === 'private' && credentials === undefined) {
      throw new EngineError('not-found', 'pull access denied for private');
    }
    return this.#pulling(`${image}:${tag}`);
  }

  async *#pulling(name: string) {
    yield { status: 'Pulling fs layer', id: 'abc' };
    if (name === 'torn:latest') throw new EngineError('corrupt', 'unexpected end of layer');
    this.#add(name);
    yield { status: `Status: Downloaded newer image for ${name}` };
  }

  async search({ term }: ImageSearch) {
    const facts = { description: '', starCount: 3, isOfficial: false, isAutomated: false };
    return [...this.#views.keys()]
      .filter((n) => n.includes(term))
      .map((name) => ({ ...facts, name }));
  }

  async *push({ image, tag = 'latest' }: PushRequest) {
    yield { status: `The push refers to repository [docker.io/library/${image}]` };
    const { manifest } = await this.inspect(`${image}:${tag}`);
    yield { aux: { Tag: tag, Digest: manifest.digest, Size: manifest.size } };
  }

  async describeRemote({ image }: Pick<PullRequest, 'image'>) {
    const { descriptor, config } = await this.inspect(image);
    return { descriptor, platforms: [{ os: config.os, architecture: config.architecture }] };
  }

  async *load(archive: AsyncIterable<Uint8Array>) {
    let bytes = 0;
    for await (const chunk of archive) {
      bytes += chunk.length;
      if (chunk[0] === 0) throw new EngineError('invalid-argument', 'not an archive');
    }
    yield { stream: `Loaded image: archive:${bytes}\n` };
  }

  async save({ names }: SaveRequest): Promise<AsyncIterable<Uint8Array>> {
    for (const name of names) await this.inspect(name);
    return oneChunk(names.join(' '));
  }

  async *importFrom(source: string) {
    yield { status: `Downloading from ${source}` };
    yield { status: digestOf('imported') };
  }

  async import(request: ImportRequest, archive: AsyncIterable<Uint8Array>): Promise<string> {
    let bytes = 0;
    for await (const chunk of archive) bytes += chunk.length;
    this.imported = { request, bytes };
    return digestOf('imported');
  }

  async tag(ref: string, target: { repository: string; tag: string | undefined }): Promise<void> {
    await this.inspect(ref);
    this.#add(`${target.repository}:${target.tag ?? 'latest'}`);
  }

  async remove(ref: string, { platforms = [] }: RemoveImageOptions) {
    const view = await this.inspect(ref);
    const { os, architecture } = view.config;
    const other = platforms.find((platform) => platform !== `${os}/${architecture}`);
    if (other !== undefined) throw new EngineError('not-found', `${ref} is not for ${other}`);
    this.#views.delete(view.repoTags[0] ?? '');
    return [{ untagged: ref }, { deleted: view.id }];
  }

  registryLimits() {
    return [{ domain: 'docker.io', left: '3 pulls left', saidAtMs: 0 }];
  }

  async prune() {
    return { removals: [], reclaimedBytes: 0 };
  }
}

async function* oneChunk(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
