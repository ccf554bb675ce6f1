/** gRPC's framing: each message is one flag byte, four bytes of length (big-endian), and the bytes. */
import { messageTooLarge, truncatedMessage, unsupportedCompression } from './grpc-errors.ts';

const HEAD_BYTES = 5;
/** What BuildKit's own client and daemon accept. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** One message with its head in front. */
export function frame(payload: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  framed[0] = 0;
  framed.writeUInt32BE(payload.length, 1);
  framed.set(payload, HEAD_BYTES);
  return framed;
}

/** The messages in a stream of bytes, as they become whole. Throws when the stream ends within one. */
export async function* unframe(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  const pending = new ByteQueue();
  for await (const chunk of chunks) {
    pending.push(chunk);
    for (let whole = nextFrame(pending); whole !== undefined; whole = nextFrame(pending)) {
      yield whole;
    }
  }
  if (pending.length > 0) throw truncatedMessage();
}

function nextFrame(pending: ByteQueue): Uint8Array | undefined {
  if (pending.length < HEAD_BYTES) return undefined;
  const head = pending.peek(HEAD_BYTES);
  if (head[0] !== 0) throw unsupportedCompression();
  const size = head.readUInt32BE(1);
  if (size > MAX_MESSAGE_BYTES) throw messageTooLarge(size, MAX_MESSAGE_BYTES);
  if (pending.length < HEAD_BYTES + size) return undefined;
  pending.take(HEAD_BYTES);
  return pending.take(size);
}

/** Messages from this size on are put together in blocks of this one: fewer, larger buffers are less work to collect. */
const LARGE_BYTES = 8 * 1024;
const BLOCK_BYTES = 1024 * 1024;

/** Bytes that arrive in pieces and are taken in others; a piece is copied only when it is not whole already. */
class ByteQueue {
  readonly #chunks: Buffer[] = [];
  #block = Buffer.alloc(0);
  length = 0;

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.length += chunk.length;
  }

  /** The first `count` bytes, which stay. */
  peek(count: number): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= count) return first.subarray(0, count);
    const taken = this.take(count);
    this.#chunks.unshift(taken);
    this.length += count;
    return taken;
  }

  /** Removes and returns the first `count` bytes. */
  take(count: number): Buffer {
    const [first] = this.#chunks;
    this.length -= count;
    if (first !== undefined && first.length > count) {
      this.#chunks[0] = first.subarray(count);
      return first.subarray(0, count);
    }
    if (first !== undefined && first.length === count) {
      this.#chunks.shift();
      return first;
    }
    return this.#gather(this.#room(count));
  }

  /** Fills `target` with the first bytes, of which there are enough. */
  #gather(target: Buffer): Buffer {
    let at = 0;
    while (at < target.length) {
      const chunk = this.#chunks[0] ?? Buffer.alloc(0);
      const copied = chunk.copy(target, at);
      at += copied;
      if (copied === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(copied);
    }
    return target;
  }

  #room(count: number): Buffer {
    if (count < LARGE_BYTES || count > BLOCK_BYTES) return Buffer.allocUnsafe(count);
    if (this.#block.length < count) this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    const room = this.#block.subarray(0, count);
    this.#block = this.#block.subarray(count);
    return room;
  }
}
