/** What the decoders of the different compressions have in common: bytes in, bytes out, in steps. */

/** What one step did. */
export interface DecoderStep {
  /** Bytes taken of the input and put into the output. */
  readonly read: number;
  readonly written: number;
  /** The input may end here. */
  readonly mayEnd: boolean;
}

/** A decoder of one stream. Steps run in a thread of node's pool, one at a time. */
export interface Decoder {
  /** Goes on until the input is used up or the output is full; `corrupt` for damaged bytes. `isLast`: no more input comes. */
  step(input: Uint8Array, output: Buffer, isLast: boolean): Promise<DecoderStep>;
  /** Frees the memory. Not during a step. */
  close(): void;
}

/** Begins to decode; `unavailable` where the library is missing. */
export type OpenDecoder = () => Decoder;

/** Largest window and dictionary: what the tools themselves take without being told to. */
export const MOST_MEMORY_BYTES = 128 * 1024 * 1024;
