/**
 * The frames that carry stdout and stderr over one connection (Engine API, `ContainerAttach`, "Stream format"):
 * one byte for the stream, three zero bytes, the length as a 32-bit big-endian number, then the data.
 */

/** `system` carries errors of the daemon itself inside a log stream. */
export type FrameStream = 'stdin' | 'stdout' | 'stderr' | 'system';

export interface Frame {
  readonly stream: FrameStream;
  readonly data: Uint8Array;
}

export const FRAME_HEADER_BYTES = 8;

const STREAMS: readonly FrameStream[] = ['stdin', 'stdout', 'stderr', 'system'];
const STREAM_BYTE: Readonly<Record<FrameStream, number>> = {
  stdin: 0,
  stdout: 1,
  stderr: 2,
  system: 3,
};

/** Writes a frame's header into `target` at `offset`. */
export function writeFrameHeader(
  target: Uint8Array,
  offset: number,
  frame: { readonly stream: FrameStream; readonly lengthBytes: number },
): void {
  target[offset] = STREAM_BYTE[frame.stream];
  target.fill(0, offset + 1, offset + 4);
  const { lengthBytes } = frame;
  target[offset + 4] = lengthBytes >>> 24;
  target[offset + 5] = lengthBytes >>> 16;
  target[offset + 6] = lengthBytes >>> 8;
  target[offset + 7] = lengthBytes;
}

/** The eight bytes before `lengthBytes` of data. */
export function frameHeader(stream: FrameStream, lengthBytes: number): Uint8Array {
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  writeFrameHeader(header, 0, { stream, lengthBytes });
  return header;
}

/** A whole frame in one piece. */
export function encodeFrame(stream: FrameStream, data: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + data.length);
  writeFrameHeader(frame, 0, { stream, lengthBytes: data.length });
  frame.set(data, FRAME_HEADER_BYTES);
  return frame;
}

/** Cuts a byte stream into frames; keeps what is incomplete until the next `push`. */
export class FrameDecoder {
  #pending: Uint8Array = new Uint8Array(0);

  /** The frames completed by `chunk`. An unknown stream byte reads as `system`. */
  push(chunk: Uint8Array): readonly Frame[] {
    const bytes = this.#pending.length === 0 ? chunk : concat(this.#pending, chunk);
    const frames: Frame[] = [];
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const length = new DataView(bytes.buffer, bytes.byteOffset + at + 4, 4).getUint32(0);
      const end = at + FRAME_HEADER_BYTES + length;
      if (end > bytes.length) break;
      frames.push({
        stream: STREAMS[bytes[at] ?? 3] ?? 'system',
        data: bytes.subarray(at + FRAME_HEADER_BYTES, end),
      });
      at = end;
    }
    this.#pending = bytes.slice(at);
    return frames;
  }

  /** Bytes of a frame that never completed: not zero at the end of a stream that was cut. */
  get pendingBytes(): number {
    return this.#pending.length;
  }
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
