/** bzip2 by libbz2 (bzlib.h). Streams may follow each other, as parallel compressors write them. */
import { addressOf, backgroundFunction, nativeFunction, sharedLibrary } from '../native.ts';
import { damagedStream } from './compression-errors.ts';
import type { Decoder } from './decoder.ts';

const library = sharedLibrary(['libbz2.so.1.0', 'libbz2.so.1'], 'install libbz2-1.0');
const begin = nativeFunction(
  'int BZ2_bzDecompressInit(void *stream, int verbosity, int small)',
  library,
);
const decompress = backgroundFunction('int BZ2_bzDecompress(void *stream)', library);
const end = nativeFunction('int BZ2_bzDecompressEnd(void *stream)', library);

/** `bz_stream` on 64-bit machines; all zeros is its initial value. */
const STREAM_BYTES = 80;
const NEXT_IN_AT = 0;
const AVAILABLE_IN_AT = 8;
const NEXT_OUT_AT = 24;
const AVAILABLE_OUT_AT = 32;
const STREAM_END = 4;

export function openBzip2Decoder(): Decoder {
  const stream = Buffer.alloc(STREAM_BYTES);
  let isOpen = false;
  const close = () => {
    if (isOpen) end(stream);
    isOpen = false;
  };
  return {
    async step(input, output) {
      if (!isOpen && input.length === 0) return { read: 0, written: 0, mayEnd: true };
      if (!isOpen) check(begin(stream.fill(0), 0, 0));
      isOpen = true;
      stream.writeBigUInt64LE(input.length === 0 ? 0n : addressOf(input), NEXT_IN_AT);
      stream.writeUInt32LE(input.length, AVAILABLE_IN_AT);
      stream.writeBigUInt64LE(addressOf(output), NEXT_OUT_AT);
      stream.writeUInt32LE(output.length, AVAILABLE_OUT_AT);
      const { result } = await decompress(stream);
      check(result);
      if (result === STREAM_END) close();
      return {
        read: input.length - stream.readUInt32LE(AVAILABLE_IN_AT),
        written: output.length - stream.readUInt32LE(AVAILABLE_OUT_AT),
        mayEnd: result === STREAM_END,
      };
    },
    close,
  };
}

function check(result: number): void {
  if (result < 0) throw damagedStream('bzip2', `error ${result}`);
}
