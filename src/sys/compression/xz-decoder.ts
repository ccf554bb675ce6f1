/** xz by liblzma (lzma/base.h and lzma/container.h). Streams may follow each other. */
import { addressOf, backgroundFunction, nativeFunction, sharedLibrary } from '../native.ts';
import { damagedStream, truncatedStream } from './compression-errors.ts';
import { type Decoder, MOST_MEMORY_BYTES } from './decoder.ts';

const library = sharedLibrary(['liblzma.so.5'], 'install liblzma5');
const begin = nativeFunction(
  'int lzma_stream_decoder(void *stream, uint64_t memory, uint32_t flags)',
  library,
);
const code = backgroundFunction('int lzma_code(void *stream, int action)', library);
const end = nativeFunction('void lzma_end(void *stream)', library);

/** `lzma_stream` on 64-bit machines; all zeros is its initial value. */
const STREAM_BYTES = 136;
const NEXT_IN_AT = 0;
const AVAILABLE_IN_AT = 8;
const NEXT_OUT_AT = 24;
const AVAILABLE_OUT_AT = 32;

const CONCATENATED = 0x08;
const RUN = 0;
const FINISH = 3;
const OK = 0;
const STREAM_END = 1;
const OUT_OF_INPUT = 10;
const PROBLEMS: Readonly<Record<number, string>> = {
  5: 'not enough memory',
  6: `needs more than ${MOST_MEMORY_BYTES} bytes of memory`,
  7: 'not an xz stream',
  8: 'unsupported options',
  9: 'damaged data',
};

/** Refuses streams with dictionaries above 128 MiB. */
export function openXzDecoder(): Decoder {
  const stream = Buffer.alloc(STREAM_BYTES);
  check(begin(stream, MOST_MEMORY_BYTES, CONCATENATED));
  return {
    async step(input, output, isLast) {
      stream.writeBigUInt64LE(input.length === 0 ? 0n : addressOf(input), NEXT_IN_AT);
      stream.writeBigUInt64LE(BigInt(input.length), AVAILABLE_IN_AT);
      stream.writeBigUInt64LE(addressOf(output), NEXT_OUT_AT);
      stream.writeBigUInt64LE(BigInt(output.length), AVAILABLE_OUT_AT);
      const { result } = await code(stream, isLast ? FINISH : RUN);
      if (result === OUT_OF_INPUT && isLast) throw truncatedStream();
      if (result !== STREAM_END && result !== OUT_OF_INPUT) check(result);
      return {
        read: input.length - Number(stream.readBigUInt64LE(AVAILABLE_IN_AT)),
        written: output.length - Number(stream.readBigUInt64LE(AVAILABLE_OUT_AT)),
        mayEnd: result === STREAM_END,
      };
    },
    close: () => void end(stream),
  };
}

function check(result: number): void {
  if (result !== OK) throw damagedStream('xz', PROBLEMS[result] ?? `error ${result}`);
}
