/** The bytes of a blob, of which an earlier download may have left the beginning. */
import { findEngineError, kindOf } from '../../shared/errors.ts';
import type { PartialBlobs } from '../../storage/partial-blobs.ts';
import type { LayerSpec, OpenBlob, ResumeBlob } from './layer-transfers.ts';

/** What is fetched, and from where. */
export interface DownloadSource {
  readonly layer: Pick<LayerSpec, 'descriptor'>;
  readonly openBlob: OpenBlob;
  readonly resumeBlob: ResumeBlob | undefined;
  readonly signal: AbortSignal;
}

export class ResumedDownload {
  readonly #partials: PartialBlobs;
  readonly #source: DownloadSource;
  readonly isResumable: boolean;
  #isBroken = false;
  #isResumed = false;

  constructor(partials: PartialBlobs, source: DownloadSource) {
    this.#partials = partials;
    this.#source = source;
    this.isResumable = source.resumeBlob !== undefined;
  }

  /** What came is worth keeping when the line broke or the client left, not when it proved wrong or the disk is full. */
  readonly keepsBeginning = (): boolean => {
    const { aborted, reason } = this.#source.signal;
    const isFull = findEngineError(reason)?.details['code'] === 'ENOSPC';
    const isStopped = this.#isBroken || (aborted && !isFull);
    return this.isResumable && isStopped;
  };

  /** All bytes from the first on. To be read once. */
  async *bytes(): AsyncGenerator<Uint8Array> {
    const { layer, openBlob, resumeBlob, signal } = this.#source;
    const { descriptor } = layer;
    const kept =
      resumeBlob === undefined ? undefined : await this.#partials.open(descriptor.digest);
    this.#isResumed = kept !== undefined;
    try {
      for await (const chunk of kept?.bytes ?? []) yield chunk as Uint8Array;
      if (kept === undefined || resumeBlob === undefined) yield* openBlob(descriptor, signal);
      else if (kept.sizeBytes < descriptor.size) {
        yield* resumeBlob(descriptor, kept.sizeBytes, signal);
      }
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
  }

  /** To be called when the download failed: the next one does not start with bytes that may be wrong. Resolves to `error`. */
  async failed(error: unknown): Promise<unknown> {
    if (this.#isResumed && !this.keepsBeginning() && kindOf(error) === 'corrupt') {
      await this.#partials.remove(this.#source.layer.descriptor.digest);
    }
    return error;
  }
}
