/** Results of instructions by what they depend on; they survive restarts and are found by every later build. */
import type { Digest } from '../../oci/digest.ts';
import { digestHex } from '../../oci/digest.ts';
import type { Clock } from '../../shared/clock.ts';
import { KeyedMutex } from '../../shared/keyed-mutex.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Collection } from '../../state/collection.ts';
import type { ContentStore } from '../../storage/content-store.ts';
import type { Snapshotter } from '../../storage/snapshotter.ts';
import type { BuiltLayer } from '../solver.ts';
import type { CacheDocument } from './cache-document.ts';
import { SharedWork } from './shared-work.ts';

/** Output of a running instruction. */
export interface StepLog {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
  readonly at: string;
}

/** What an instruction wrote. */
export interface NewLayer {
  /** Undefined when it wrote nothing. */
  readonly layer: BuiltLayer | undefined;
  /** Bytes of its files. */
  readonly sizeBytes: number;
  /** Settles when the layer's blob is durable. */
  readonly stored: Promise<void>;
}

/** What a step wrote on another machine. */
export interface FetchedLayer {
  readonly layer: BuiltLayer | undefined;
  readonly sizeBytes: number;
  /** When it was made. RFC 3339. */
  readonly created: string;
  /** Ends its protection; to be called once something else protects it. */
  release(): void;
}

/** A step that makes a layer. */
export interface LayerWork {
  /** Stands for everything that the result depends on. */
  readonly key: Digest;
  readonly description: string;
  /** Keys of the records that it stands on. */
  readonly parents: readonly string[];
  /** False: made anew, whatever is there. */
  readonly useCache: boolean;
  /** The result from a cache of another place, where one has it. */
  fetch?(signal: AbortSignal): Promise<FetchedLayer | undefined>;
  make(log: (log: StepLog) => void, signal: AbortSignal): Promise<NewLayer>;
}

export interface CachedLayer {
  readonly layer: BuiltLayer | undefined;
  /** When it was made. RFC 3339. */
  readonly created: string;
  readonly cached: boolean;
  readonly stored: Promise<void>;
  /** Ends its protection from prunes. Idempotent. */
  release(): void;
}

export interface LayerCacheDeps {
  readonly documents: Collection<CacheDocument>;
  readonly snapshots: Snapshotter;
  readonly content: ContentStore;
  /** Protects blobs and layers from being swept. */
  readonly hold: (digests: readonly Digest[]) => Promise<() => void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Found = Omit<CachedLayer, 'release'>;
type Heard = { onLog(log: StepLog): void; readonly signal: AbortSignal };

export class LayerCache {
  readonly #deps: LayerCacheDeps;
  readonly #flights = new SharedWork<Found, StepLog>();
  readonly #locks = new KeyedMutex<string>();
  readonly #inUse = new Map<string, number>();
  /** Results whose records are on their way to the disk. */
  readonly #recent = new Map<string, Found>();

  constructor(deps: LayerCacheDeps) {
    this.#deps = deps;
  }

  /** True while a build uses the record. */
  isInUse(id: string): boolean {
    return this.#inUse.has(id);
  }

  /** The result of the work: from the cache, from another build that does it now, or made here. */
  async layer(work: LayerWork, heard: Heard): Promise<CachedLayer> {
    const id = digestHex(work.key);
    const letGo = this.#use(id);
    try {
      const found = work.useCache ? await this.#find(id) : undefined;
      if (found !== undefined) return await this.#held(found, letGo);
      const waiter = { onNote: heard.onLog, signal: heard.signal };
      const flight = work.useCache ? id : `${id}-${crypto.randomUUID()}`;
      const made = await this.#flights.run(flight, waiter, (log, signal) =>
        this.#make(id, work, { log, signal }),
      );
      return await this.#held(made, letGo);
    } catch (error) {
      letGo();
      throw error;
    }
  }

  async #find(id: string): Promise<Found | undefined> {
    const { documents, snapshots, content, clock } = this.#deps;
    const recent = this.#recent.get(id);
    if (recent !== undefined) return { ...recent, cached: true };
    const document = documents.get(id);
    if (document === undefined || document.value.layer === undefined) return undefined;
    const layer = document.value.layer ?? undefined;
    if (layer !== undefined) {
      const isThere =
        (await snapshots.hasCommitted(layer.chainId)) &&
        (await content.stat(layer.descriptor.digest)) !== undefined;
      if (!isThere) return undefined;
    }
    const used = { lastUsedAt: clock.nowIso(), usageCount: document.value.usageCount + 1 };
    // A count that a crash loses is no harm: nobody waits for it.
    document
      .update((value) => ({ ...value, ...used }), 'ordered')
      .catch((error: unknown) =>
        this.#deps.logger.warn('the use of a cached layer is not recorded', { error }),
      );
    return { layer, created: document.value.createdAt, cached: true, stored: Promise.resolve() };
  }

  async #make(
    id: string,
    work: LayerWork,
    run: { readonly log: (log: StepLog) => void; readonly signal: AbortSignal },
  ): Promise<Found> {
    const fetched = work.useCache ? await work.fetch?.(run.signal) : undefined;
    if (fetched !== undefined) return await this.#keep(id, work, fetched);
    const { layer, sizeBytes, stored } = await work.make(run.log, run.signal);
    const created = this.#deps.clock.nowIso();
    const recorded = stored.then(() => this.#record(id, work, { layer, sizeBytes, created }));
    const found = { layer, created, cached: false, stored: recorded };
    this.#recent.set(id, found);
    // Whoever needs the blob waits for it and hears of the failure.
    recorded.catch(() => undefined).finally(() => this.#recent.delete(id));
    return found;
  }

  async #keep(id: string, work: LayerWork, fetched: FetchedLayer): Promise<Found> {
    const { layer, sizeBytes, created, release } = fetched;
    try {
      await this.#record(id, work, { layer, sizeBytes, created });
    } finally {
      release();
    }
    return { layer, created, cached: true, stored: Promise.resolve() };
  }

  async #record(
    id: string,
    { description, parents }: LayerWork,
    made: { layer: BuiltLayer | undefined; sizeBytes: number; created: string },
  ): Promise<void> {
    const { documents } = this.#deps;
    const { mediaType, digest, size } = made.layer?.descriptor ?? {};
    const value: CacheDocument = {
      v: 1,
      kind: 'regular',
      description,
      parents: [...parents],
      layer:
        made.layer === undefined || mediaType === undefined || digest === undefined
          ? null
          : { ...made.layer, descriptor: { mediaType, digest, size: size ?? 0 } },
      sizeBytes: made.sizeBytes,
      createdAt: made.created,
      usageCount: 0,
    };
    await this.#locks.run(id, async () => {
      const before = documents.get(id);
      if (before !== undefined) await before.update(() => value, 'ordered');
      else await documents.create(id, value, 'ordered');
    });
  }

  async #held(found: Found, letGo: () => void): Promise<CachedLayer> {
    const { layer } = found;
    const release =
      layer === undefined
        ? () => undefined
        : await this.#deps.hold([layer.chainId, layer.descriptor.digest]);
    return {
      ...found,
      release: () => {
        release();
        letGo();
      },
    };
  }

  #use(id: string): () => void {
    this.#inUse.set(id, (this.#inUse.get(id) ?? 0) + 1);
    let isUsed = true;
    return () => {
      if (!isUsed) return;
      isUsed = false;
      const count = (this.#inUse.get(id) ?? 1) - 1;
      if (count === 0) this.#inUse.delete(id);
      else this.#inUse.set(id, count);
    };
  }
}
