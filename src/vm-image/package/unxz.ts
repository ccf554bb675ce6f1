/** xz without the system's library, which macOS and Windows lack: WebAssembly, enough for packages. */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ReadableStream } from 'node:stream/web';
import xz from 'xz-decompress';

const PIECE_BYTES = 1 << 20;

/** The bytes inside; the stream fails when they are damaged. */
export function unxzStream(packed: Buffer): Readable {
  let at = 0;
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= packed.length) return controller.close();
      controller.enqueue(packed.subarray(at, at + PIECE_BYTES));
      at += PIECE_BYTES;
    },
  });
  // The declarations are written for browsers, whose stream type is another name for Node's.
  const plain = new xz.XzReadableStream(source as never) as unknown as ReadableStream<Uint8Array>;
  return Readable.fromWeb(plain);
}

/** The same at once, for small files. */
export function unxz(packed: Buffer): Promise<Buffer> {
  return buffer(unxzStream(packed));
}
