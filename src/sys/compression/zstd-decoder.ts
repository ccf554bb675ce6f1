/** Zstandard by libzstd (zstd.h, "Streaming decompression"). Frames may follow each other; skippable ones are skipped. */
import { addressOf, backgroundFunction, nativeFunction, sharedLibrary } from '../native.ts';
import { damagedStream } from './compression-errors.ts';
import type { Decoder } from './decoder.ts';

const library = sharedLibrary(['libzstd.so.1'], 'install libzstd1');
const create = nativeFunction('uintptr_t ZSTD_createDStream()', library);
const free = nativeFunction('size_t ZSTD_freeDStream(uintptr_t stream)', library);
const decompress = backgroundFunction(
  'intptr_t ZSTD_decompressStream(uintptr_t stream, void *output, void *input)',
  library,
);

/** `ZSTD_inBuffer` and `ZSTD_outBuffer`: pointer, size, position. */
const BUFFER_BYTES = 24;
const SIZE_AT = 8;
const POSITION_AT = 16;

/** Refuses frames with windows above 128 MiB, as the library does by itself. */
export function openZstdDecoder(): Decoder {
  const stream = create();
  const [from, to] = [Buffer.alloc(BUFFER_BYTES), Buffer.alloc(BUFFER_BYTES)];
  return {
    async step(input, output) {
      pointTo(from, input);
      pointTo(to, output);
      const { result } = await decompress(stream, to, from);
      if (result < 0) throw damagedStream('zstd', `error ${-result}`);
      const read = Number(from.readBigUInt64LE(POSITION_AT));
      return { read, written: Number(to.readBigUInt64LE(POSITION_AT)), mayEnd: result === 0 };
    },
    close: () => void free(stream),
  };
}

function pointTo(buffer: Buffer, bytes: Uint8Array): void {
  buffer.writeBigUInt64LE(bytes.length === 0 ? 0n : addressOf(bytes), 0);
  buffer.writeBigUInt64LE(BigInt(bytes.length), SIZE_AT);
  buffer.writeBigUInt64LE(0n, POSITION_AT);
}
