/**
 * Brings layers into the store. However many pulls ask for a layer, it is fetched and unpacked once; it goes on
 * while at least one of them is still there. Bytes go to the blob store and to the unpacker at the same time, and
 * nothing is visible before digest and diffID are proved. Layers are committed from the bottom up.
 */
import type { Digest } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/image-spec.ts';
import { KeyedMutex } from '../../shared/keyed-mutex.ts';
import type { ContentStore } from '../../storage/content-store.ts';
import type { LayerUnpacker, LayerUnpacking, UnpackedLayer } from '../../storage/layer-unpacker.ts';
import type { LayerSlot, Snapshotter } from '../../storage/snapshotter.ts';
import { transferCancelled } from './image-errors.ts';
import { ResumedDownload } from './resumed-download.ts';
import { Semaphore } from './semaphore.ts';
import { SharedJob } from './shared-job.ts';

/** A layer of an image, with its place in the stack. */
export interface LayerSpec {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly chainId: Digest;
  readonly parent: Digest | undefined;
}

/** Where the bytes of a layer come from when they are not in the store yet. */
export type OpenBlob = (blob: Descriptor, signal: AbortSignal) => AsyncIterable<Uint8Array>;

/** The same from byte `offset` on, where the source can do that: then beginnings of broken downloads are of use. */
export type ResumeBlob = (
  blob: Descriptor,
  offset: number,
  signal: AbortSignal,
) => AsyncIterable<Uint8Array>;

/** What happens to a layer, in this order; some steps may be left out. */
export type LayerProgress =
  | { readonly step: 'exists' | 'verifying' | 'downloaded' | 'complete' }
  | {
      readonly step: 'downloading' | 'extracting';
      readonly current: number;
      readonly total: number;
    };

export type LayerObserver = (layer: LayerSpec, progress: LayerProgress) => void;

export interface LayerTransferDeps {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly unpacker: LayerUnpacker;
  /** Layers that are fetched at the same time. */
  readonly maxDownloads: number;
}

/** One call of `ensure`. */
export interface LayerRequest {
  readonly openBlob: OpenBlob;
  readonly resumeBlob?: ResumeBlob | undefined;
  readonly observe: LayerObserver;
  readonly signal: AbortSignal;
}

type LayerJob = SharedJob<LayerProgress>;

/** A layer that is in its directory but not visible yet. */
interface FilledSlot {
  readonly slot: LayerSlot;
  readonly unpacked: UnpackedLayer;
}

export class LayerTransfers {
  readonly #deps: LayerTransferDeps;
  readonly #jobs = new Map<Digest, LayerJob>();
  readonly #slots: Semaphore;
  /** A blob that stands twice in an image is fetched once and unpacked twice. */
  readonly #blobLocks = new KeyedMutex<Digest>();

  constructor(deps: LayerTransferDeps) {
    this.#deps = deps;
    this.#slots = new Semaphore(deps.maxDownloads);
  }

  /** True when the layer needs nothing: its blob is stored and its files are committed. */
  async isPresent(layer: LayerSpec): Promise<boolean> {
    return (
      (await this.#deps.snapshots.hasCommitted(layer.chainId)) &&
      (await this.#deps.content.stat(layer.descriptor.digest)) !== undefined
    );
  }

  /**
   * Makes all layers present; bottom first in `layers`. When one fails, the rest is given up and the error of the
   * failed one is thrown. `cancelled` when the signal aborts.
   */
  async ensure(layers: readonly LayerSpec[], request: LayerRequest): Promise<void> {
    const giveUp = new AbortController();
    const signal = AbortSignal.any([request.signal, giveUp.signal]);
    const waits = layers.map((layer) => this.#join(layer, { ...request, signal }));
    const first = Promise.all(waits);
    try {
      await first;
    } catch (error) {
      giveUp.abort(error);
      await Promise.allSettled(waits);
      throw request.signal.aborted ? transferCancelled(error) : error;
    }
  }

  #join(layer: LayerSpec, request: LayerRequest): Promise<void> {
    let job = this.#jobs.get(layer.chainId);
    if (job === undefined || job.isAbandoned) {
      const parent = layer.parent === undefined ? undefined : this.#jobs.get(layer.parent);
      job = this.#start(layer, request, parent);
    }
    return job.join((progress) => request.observe(layer, progress), request.signal);
  }

  #start(layer: LayerSpec, request: LayerRequest, parent: LayerJob | undefined): LayerJob {
    const { openBlob, resumeBlob } = request;
    const job: LayerJob = new SharedJob((report, signal) =>
      this.#transfer({ layer, openBlob, resumeBlob, report, signal }, parent),
    );
    this.#jobs.set(layer.chainId, job);
    const forget = () => {
      if (this.#jobs.get(layer.chainId) === job) this.#jobs.delete(layer.chainId);
    };
    job.done.then(forget, forget);
    return job;
  }

  async #transfer(run: TransferRun, parent: LayerJob | undefined): Promise<void> {
    if (await this.isPresent(run.layer)) {
      run.report({ step: 'exists' });
      return;
    }
    const filled = await this.#slots.run(run.signal, () =>
      this.#blobLocks.run(run.layer.descriptor.digest, () => this.#fill(run)),
    );
    if (filled !== undefined) await this.#commit(run, filled, parent);
    run.report({ step: 'complete' });
  }

  /** Blob and files. Undefined when the files were committed already. */
  async #fill(run: TransferRun): Promise<FilledSlot | undefined> {
    const { layer, signal } = run;
    if (signal.aborted) throw transferCancelled(signal.reason);
    const { content, snapshots } = this.#deps;
    const isStored = (await content.stat(layer.descriptor.digest)) !== undefined;
    if (await snapshots.hasCommitted(layer.chainId)) {
      if (!isStored) await this.#fetch(run, undefined);
      return undefined;
    }
    const slot = await snapshots.prepareLayer();
    try {
      return { slot, unpacked: await this.#unpackInto(slot, run, isStored) };
    } catch (error) {
      await slot.abandon();
      throw error;
    }
  }

  async #unpackInto(slot: LayerSlot, run: TransferRun, isStored: boolean): Promise<UnpackedLayer> {
    const { descriptor, diffId } = run.layer;
    const unpacking = this.#deps.unpacker.begin(slot, {
      mediaType: descriptor.mediaType,
      sizeBytes: descriptor.size,
      diffId,
    });
    try {
      return isStored
        ? await this.#unpackStored(run, unpacking)
        : await this.#fetch(run, unpacking);
    } finally {
      await unpacking.abort();
    }
  }

  async #unpackStored(run: TransferRun, unpacking: LayerUnpacking): Promise<UnpackedLayer> {
    const { descriptor } = run.layer;
    run.report({ step: 'downloaded' });
    let current = 0;
    for await (const chunk of await this.#deps.content.open(descriptor.digest)) {
      if (run.signal.aborted) throw transferCancelled(run.signal.reason);
      await unpacking.write(chunk as Uint8Array);
      current += (chunk as Uint8Array).length;
      run.report({ step: 'extracting', current, total: descriptor.size });
    }
    return await unpacking.finish();
  }

  #fetch(run: TransferRun, unpacking: LayerUnpacking): Promise<UnpackedLayer>;
  #fetch(run: TransferRun, unpacking: undefined): Promise<undefined>;
  async #fetch(
    run: TransferRun,
    unpacking: LayerUnpacking | undefined,
  ): Promise<UnpackedLayer | undefined> {
    const { digest, size } = run.layer.descriptor;
    const download = new ResumedDownload(this.#deps.content.partials, run);
    let unpacked: UnpackedLayer | undefined;
    const source = async function* (): AsyncGenerator<Uint8Array> {
      let current = 0;
      for await (const chunk of download.bytes()) {
        if (run.signal.aborted) throw transferCancelled(run.signal.reason);
        await unpacking?.write(chunk);
        current += chunk.length;
        run.report({ step: 'downloading', current, total: size });
        yield chunk;
      }
      run.report({ step: 'verifying' });
      // Before the blob counts as complete: a layer that does not unpack leaves no blob behind.
      unpacked = await unpacking?.finish();
    };
    try {
      await this.#deps.content.ingest({ digest, sizeBytes: size }, source(), download);
    } catch (error) {
      throw await download.failed(error);
    }
    run.report({ step: 'downloaded' });
    if (unpacking === undefined) return undefined;
    // Only when the blob came into the store by another way meanwhile was the source not read.
    if (unpacked === undefined) return await this.#unpackStored(run, unpacking);
    run.report({ step: 'extracting', current: size, total: size });
    return unpacked;
  }

  async #commit(run: TransferRun, filled: FilledSlot, parent: LayerJob | undefined): Promise<void> {
    const { chainId, parent: parentId } = run.layer;
    const { slot, unpacked } = filled;
    try {
      await parent?.done;
      if (run.signal.aborted) throw transferCancelled(run.signal.reason);
      const { sizeBytes, owners } = unpacked;
      await slot.commit({ chainId, parent: parentId, sizeBytes, owners });
    } catch (error) {
      await slot.abandon();
      throw error;
    }
  }
}

interface TransferRun {
  readonly layer: LayerSpec;
  readonly openBlob: OpenBlob;
  readonly resumeBlob: ResumeBlob | undefined;
  readonly report: (progress: LayerProgress) => void;
  readonly signal: AbortSignal;
}
