/** What a probe printed, as much of it as is kept. */

/** Docker's limit, in bytes. */
const KEPT_BYTES = 4096;

export class ProbeOutput {
  readonly #chunks: Uint8Array[] = [];
  #sizeBytes = 0;
  #truncated = false;

  /** Keeps what still fits. */
  add(data: Uint8Array): void {
    const room = KEPT_BYTES - this.#sizeBytes;
    const kept = data.subarray(0, room);
    this.#truncated ||= kept.length < data.length;
    this.#sizeBytes += kept.length;
    if (kept.length > 0) this.#chunks.push(kept);
  }

  /** The text so far; `...` follows when something was dropped. */
  text(): string {
    const text = Buffer.concat(this.#chunks).toString('utf8');
    return this.#truncated ? `${text}...` : text;
  }
}
