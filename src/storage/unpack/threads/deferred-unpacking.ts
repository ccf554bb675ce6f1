/** A layer of which nobody knows the size: how it is unpacked is decided when enough of it came, or its end. */
import type { LayerUnpacking, UnpackedLayer } from '../../layer-unpacker.ts';

/** The ways to unpack the layer, begun when they are taken. */
export interface UnpackingWays {
  readonly small: () => LayerUnpacking;
  readonly large: () => LayerUnpacking;
  /** A layer of so many bytes is large. */
  readonly largeBytes: number;
}

export class DeferredUnpacking implements LayerUnpacking {
  readonly #ways: UnpackingWays;
  #chosen: LayerUnpacking | undefined;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #isEnded = false;

  constructor(ways: UnpackingWays) {
    this.#ways = ways;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#chosen !== undefined) return await this.#chosen.write(chunk);
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes >= this.#ways.largeBytes) await this.#take(this.#ways.large);
  }

  async finish(): Promise<UnpackedLayer> {
    const chosen = this.#chosen ?? (await this.#take(this.#ways.small));
    return await chosen.finish();
  }

  async abort(): Promise<void> {
    this.#isEnded = true;
    this.#held = [];
    await this.#chosen?.abort();
  }

  async #take(way: () => LayerUnpacking): Promise<LayerUnpacking> {
    if (this.#isEnded) throw new Error('unpacking was aborted');
    const chosen = way();
    this.#chosen = chosen;
    const held = this.#held;
    this.#held = [];
    for (const chunk of held) await chosen.write(chunk);
    return chosen;
  }
}
