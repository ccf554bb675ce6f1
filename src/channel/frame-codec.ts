/**
 * Frames on the byte channel between host and guest, and how a reader finds their start.
 *
 * A frame is `u32 stream`, `u8 type`, `u24 length`, then as many bytes. Either side may be started anew while the bytes
 * of a frame are under way, and the line in between tells nobody. So whoever starts sends a greeting: as many zeros as the
 * longest frame may have, then a mark, its own number, and the number of the other side as far as it knows it. A
 * reader that waits for the rest of a frame gets zeros, then a frame of type zero, which there is not: it looks for the mark.
 */

export const FRAME_TYPES = { open: 1, data: 2, end: 3, reset: 4, credit: 5 } as const;
export type FrameType = keyof typeof FRAME_TYPES;

export interface Frame {
  readonly stream: number;
  readonly type: FrameType;
  readonly payload: Buffer;
}

/** Who speaks, and to whom as far as it knows: numbers that are new with each start, 0 for unknown. */
export interface Greeting {
  readonly from: bigint;
  readonly to: bigint;
}

/** What a reader found. */
export type Received =
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'greeting'; readonly greeting: Greeting }
  /** Bytes that are no frame: whatever was under way is lost. */
  | { readonly kind: 'noise' };

/** Longest payload, in bytes. */
export const MAX_PAYLOAD_BYTES = 32 * 1024;

const HEADER_BYTES = 8;
const NUMBER_BYTES = 8;
const MARK = Buffer.from('\xffwherry channel 1', 'latin1');
const GREETING_BYTES = MARK.length + 2 * NUMBER_BYTES;
const NAMES: ReadonlyMap<number, FrameType> = new Map(
  Object.entries(FRAME_TYPES).map(([name, code]) => [code, name as FrameType]),
);

/** `payload` must not be longer than `MAX_PAYLOAD_BYTES`. */
export function encodeFrame({ stream, type, payload }: Frame): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32LE(stream, 0);
  header.writeUInt8(FRAME_TYPES[type], 4);
  header.writeUIntLE(payload.length, 5, 3);
  return payload.length === 0 ? header : Buffer.concat([header, payload]);
}

export function encodeGreeting({ from, to }: Greeting): Buffer {
  const numbers = Buffer.alloc(2 * NUMBER_BYTES);
  numbers.writeBigUInt64LE(from, 0);
  numbers.writeBigUInt64LE(to, NUMBER_BYTES);
  return Buffer.concat([Buffer.alloc(HEADER_BYTES + MAX_PAYLOAD_BYTES), MARK, numbers]);
}

/** Takes the bytes apart. Begins by looking for a greeting. */
export class FrameDecoder {
  #rest: Buffer = Buffer.alloc(0);
  #isLost = true;

  /** What `chunk` completes. Never throws: whatever comes, the next greeting is found. */
  *push(chunk: Buffer): Generator<Received> {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let received = this.#next(); received !== undefined; received = this.#next()) {
      yield received;
    }
  }

  #next(): Received | undefined {
    return this.#isLost ? this.#nextGreeting() : this.#nextFrame();
  }

  #nextGreeting(): Received | undefined {
    const at = this.#rest.indexOf(MARK);
    if (at < 0) {
      // The last bytes may be the beginning of the mark.
      this.#rest = this.#rest.subarray(Math.max(0, this.#rest.length - MARK.length + 1));
      return undefined;
    }
    this.#rest = this.#rest.subarray(at);
    if (this.#rest.length < GREETING_BYTES) return undefined;
    const from = this.#rest.readBigUInt64LE(MARK.length);
    const to = this.#rest.readBigUInt64LE(MARK.length + NUMBER_BYTES);
    this.#rest = this.#rest.subarray(GREETING_BYTES);
    this.#isLost = false;
    return { kind: 'greeting', greeting: { from, to } };
  }

  #nextFrame(): Received | undefined {
    if (this.#rest.length < HEADER_BYTES) return undefined;
    const type = NAMES.get(this.#rest.readUInt8(4));
    const length = this.#rest.readUIntLE(5, 3);
    if (type === undefined || length > MAX_PAYLOAD_BYTES) {
      this.#isLost = true;
      const isGreeting = this.#rest.subarray(0, HEADER_BYTES).every((byte) => byte === 0);
      return isGreeting ? this.#nextGreeting() : { kind: 'noise' };
    }
    const end = HEADER_BYTES + length;
    if (this.#rest.length < end) return undefined;
    const payload = this.#rest.subarray(HEADER_BYTES, end);
    const stream = this.#rest.readUInt32LE(0);
    this.#rest = this.#rest.subarray(end);
    return { kind: 'frame', frame: { stream, type, payload } };
  }
}
