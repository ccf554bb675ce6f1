/**
 * Layers that were made here are plain tar; registries get them compressed, as from Docker. A layer is compressed once,
 * however many ask for it.
 */
import type { Digest } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/image-spec.ts';
import { gzipTypeOf } from '../../oci/media-types.ts';
import { KeyedMutex } from '../../shared/keyed-mutex.ts';
import type { ContentStore } from '../../storage/content-store.ts';
import { gzipped } from './gzip-stream.ts';
import type { Leases, ReleaseLease } from './leases.ts';
import { Semaphore } from './semaphore.ts';

/** What gzip does unless told otherwise: these bytes travel, and stay where they go. */
const LEVEL = 6;

export interface CompressorDeps {
  readonly content: ContentStore;
  readonly leases: Leases;
  /** Layers that are compressed at the same time. */
  readonly atOnce: number;
}

/** A blob in the store, protected until `release`. */
export interface CompressedLayer {
  readonly descriptor: Descriptor;
  readonly release: ReleaseLease;
}

export class LayerCompressor {
  readonly #deps: CompressorDeps;
  readonly #slots: Semaphore;
  readonly #locks = new KeyedMutex<Digest>();
  /** What layers became, by the digests of their tar streams. */
  readonly #known = new Map<Digest, Descriptor>();

  constructor(deps: CompressorDeps) {
    this.#deps = deps;
    this.#slots = new Semaphore(deps.atOnce);
  }

  /** The layer in the form that registries get: itself when it is compressed already. */
  async compressed(layer: Descriptor, signal: AbortSignal): Promise<CompressedLayer> {
    const mediaType = gzipTypeOf(layer.mediaType);
    if (mediaType === undefined) {
      return { descriptor: layer, release: await this.#deps.leases.hold([layer.digest]) };
    }
    return await this.#locks.run(layer.digest, async () => {
      const known = await this.#find(layer.digest);
      return (
        known ?? (await this.#slots.run(signal, () => this.#compress({ layer, mediaType }, signal)))
      );
    });
  }

  async #find(tarDigest: Digest): Promise<CompressedLayer | undefined> {
    const { content, leases } = this.#deps;
    const descriptor = this.#known.get(tarDigest);
    if (descriptor === undefined) return undefined;
    const release = await leases.hold([descriptor.digest]);
    if ((await content.stat(descriptor.digest)) !== undefined) return { descriptor, release };
    release();
    return undefined;
  }

  async #compress(
    { layer, mediaType }: { readonly layer: Descriptor; readonly mediaType: string },
    signal: AbortSignal,
  ): Promise<CompressedLayer> {
    const { content, leases } = this.#deps;
    const tar = unlessAborted(await content.open(layer.digest), signal);
    const staged = await content.stage(gzipped(tar, LEVEL));
    const release = await leases.hold([staged.digest]);
    try {
      await staged.publish();
    } catch (error) {
      release();
      await staged.discard();
      throw error;
    }
    const descriptor = { mediaType, digest: staged.digest, size: staged.sizeBytes };
    this.#known.set(layer.digest, descriptor);
    return { descriptor, release };
  }
}

async function* unlessAborted(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    signal.throwIfAborted();
    yield chunk;
  }
}
