/**
 * Protection of blobs and layers that a transfer has fetched or counts on, until an image document names them.
 * A sweep and the taking of leases exclude each other, so that nothing vanishes between "is it there?" and use.
 */
import type { Digest } from '../../oci/digest.ts';

/** Ends the protection. Idempotent. */
export type ReleaseLease = () => void;

export class Leases {
  readonly #held = new Map<Digest, number>();
  #sweep: Promise<unknown> | undefined;

  /** Protects the digests until released; waits for a running sweep. */
  async hold(digests: readonly Digest[]): Promise<ReleaseLease> {
    while (this.#sweep !== undefined) await this.#sweep;
    for (const digest of digests) this.#held.set(digest, (this.#held.get(digest) ?? 0) + 1);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      for (const digest of digests) this.#drop(digest);
    };
  }

  isHeld(digest: Digest): boolean {
    return this.#held.has(digest);
  }

  /** Runs `sweep` while no lease can be taken. One at a time. */
  async exclusively<T>(sweep: () => Promise<T>): Promise<T> {
    while (this.#sweep !== undefined) await this.#sweep;
    const running = sweep();
    this.#sweep = running.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await running;
    } finally {
      this.#sweep = undefined;
    }
  }

  #drop(digest: Digest): void {
    const count = (this.#held.get(digest) ?? 1) - 1;
    if (count === 0) this.#held.delete(digest);
    else this.#held.set(digest, count);
  }
}
