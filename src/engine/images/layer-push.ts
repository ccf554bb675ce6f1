/** One blob on its way into a registry, with the lines that `docker push` prints about it. */
import type { PushTarget } from '../../distribution/image-registry.ts';
import type { Descriptor } from '../../oci/image-spec.ts';
import type { ContentStore } from '../../storage/content-store.ts';
import type { ProgressChannel } from './progress-channel.ts';
import { Semaphore } from './semaphore.ts';

export interface LayerPushOptions {
  readonly blob: Descriptor;
  /** The 12 digits by which the layer goes in progress lines. */
  readonly label: string;
  readonly target: PushTarget;
  /** Repository of the same registry that is known to hold the blob. */
  readonly mountFrom: string | undefined;
  /** Undefined: nothing is said. */
  readonly channel: ProgressChannel | undefined;
}

export class LayerPush {
  readonly #content: Pick<ContentStore, 'open'>;
  readonly #options: LayerPushOptions;

  constructor(content: Pick<ContentStore, 'open'>, options: LayerPushOptions) {
    this.#content = content;
    this.#options = options;
  }

  /** Runs all, some at a time. The first failure ends the others and is thrown once all have stopped. */
  static async all(
    pushes: readonly LayerPush[],
    limit: { readonly atOnce: number; readonly signal: AbortSignal },
  ): Promise<void> {
    for (const push of pushes) push.#say('Preparing');
    for (const push of pushes.slice(limit.atOnce)) push.#say('Waiting');
    const slots = new Semaphore(limit.atOnce);
    const giveUp = new AbortController();
    const both = AbortSignal.any([limit.signal, giveUp.signal]);
    const runs = pushes.map((push) => slots.run(both, () => push.run(both)));
    try {
      await Promise.all(runs);
    } catch (error) {
      giveUp.abort(error);
      await Promise.allSettled(runs);
      throw error;
    }
  }

  /** Makes the blob present in the registry. */
  async run(signal: AbortSignal): Promise<void> {
    const { blob, target, mountFrom } = this.#options;
    if (await target.hasBlob(blob.digest, signal)) {
      this.#say('Layer already exists');
      return;
    }
    const open = (offset: number) => this.#read(offset);
    const source = mountFrom === undefined ? { open } : { open, mountFrom };
    const outcome = await target.uploadBlob(blob, source, signal);
    this.#say(outcome === 'mounted' ? `Mounted from ${mountFrom}` : 'Pushed');
  }

  async *#read(offset: number): AsyncGenerator<Uint8Array> {
    const { blob, label, channel } = this.#options;
    let current = offset;
    for await (const chunk of await this.#content.open(blob.digest, offset)) {
      const bytes = chunk as Uint8Array;
      current += bytes.length;
      channel?.sendCount(label, 'Pushing', { current, total: blob.size });
      yield bytes;
    }
  }

  #say(status: string): void {
    const { channel, label } = this.#options;
    channel?.send({ status, progressDetail: {}, id: label });
  }
}
