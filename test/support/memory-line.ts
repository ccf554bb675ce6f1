/** A line of bytes between two ends in memory, as unfriendly as real ones. */
import { Duplex } from 'node:stream';
import { below, randomOf } from './mutations.ts';

/** One end of a line in memory, which cuts what goes over it into pieces of odd sizes. */
class LineEnd extends Duplex {
  other: LineEnd | undefined;
  readonly #random = randomOf(1);

  override _read(): void {
    // The other end pushes.
  }

  override _write(chunk: Buffer, _: string, done: () => void): void {
    for (let at = 0; at < chunk.length; ) {
      const size = 1 + below(this.#random, 70_000);
      this.other?.push(chunk.subarray(at, at + size));
      at += size;
    }
    setImmediate(done);
  }

  override _final(done: () => void): void {
    this.other?.push(null);
    done();
  }
}

/** Both ends of a new line. */
export function memoryLine(): readonly [Duplex, Duplex] {
  const [a, b] = [new LineEnd(), new LineEnd()];
  a.other = b;
  b.other = a;
  return [a, b];
}
