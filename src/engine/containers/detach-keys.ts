/** Watches a client's keystrokes for the sequence that detaches it (`docker attach --detach-keys`). */

export interface ScannedInput {
  /** What belongs to the process. */
  readonly forward: Uint8Array;
  /** True once the whole sequence was typed; `forward` then holds what came before it. */
  readonly detached: boolean;
}

const NOTHING = new Uint8Array(0);

/**
 * Holds back bytes that may be the beginning of the sequence and gives them on once they turn out not to be.
 */
export class DetachKeyScanner {
  readonly #keys: Uint8Array;
  #matched = 0;

  /** `keys` are the bytes of the sequence; an empty one never matches. */
  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  scan(input: Uint8Array): ScannedInput {
    if (this.#keys.length === 0) return { forward: input, detached: false };
    const forward: number[] = [];
    for (const byte of input) {
      if (byte !== this.#keys[this.#matched]) {
        forward.push(...this.#keys.subarray(0, this.#matched));
        this.#matched = 0;
      }
      if (byte === this.#keys[this.#matched]) this.#matched++;
      else forward.push(byte);
      if (this.#matched === this.#keys.length) {
        return { forward: Uint8Array.from(forward), detached: true };
      }
    }
    return { forward: forward.length === 0 ? NOTHING : Uint8Array.from(forward), detached: false };
  }
}
