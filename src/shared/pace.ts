/** Sharing the event loop during many short synchronous steps. */
import { setImmediate } from 'node:timers/promises';

const STEPS_AT_ONCE = 128;
/** Steps of a few microseconds take as many milliseconds each on a busy disk: so time counts as well. */
const LONGEST_MS = 8;

/** Lets the event loop have its turn now and then. */
export class Pace {
  #steps = 0;
  #since = performance.now();

  /** To be awaited between two steps; undefined while it is too early for a pause. */
  step(): Promise<void> | undefined {
    const isDue =
      ++this.#steps % STEPS_AT_ONCE === 0 || performance.now() - this.#since > LONGEST_MS;
    return isDue ? this.#rest() : undefined;
  }

  async #rest(): Promise<void> {
    await setImmediate();
    this.#since = performance.now();
  }
}
