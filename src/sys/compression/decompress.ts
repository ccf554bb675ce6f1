/** Finds out how a stream is compressed, and undoes it. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { systemCode } from '../../shared/errors.ts';
import { openBzip2Decoder } from './bzip2-decoder.ts';
import { damagedStream, truncatedStream } from './compression-errors.ts';
import type { Decoder, OpenDecoder } from './decoder.ts';
import { openXzDecoder } from './xz-decoder.ts';
import { openZstdDecoder } from './zstd-decoder.ts';

export type Compression = 'gzip' | 'zstd' | 'xz' | 'bzip2';

const SIGNATURES: readonly { readonly name: Compression; readonly bytes: readonly number[] }[] = [
  { name: 'gzip', bytes: [0x1f, 0x8b] },
  { name: 'zstd', bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: 'xz', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { name: 'bzip2', bytes: [0x42, 0x5a, 0x68] },
];
/** So many bytes tell how a stream is compressed. */
export const LONGEST_SIGNATURE = 6;
/** One step of a decoder: long enough to be worth a thread, short enough to be handled in one go. */
const OUTPUT_BYTES = 64 * 1024;

/** The compression that `start` begins with, undefined for anything else. */
export function compressionOf(start: Uint8Array): Compression | undefined {
  return SIGNATURES.find(({ bytes }) => bytes.every((byte, index) => start[index] === byte))?.name;
}

/**
 * The bytes inside of a stream that may be compressed. `corrupt` when it is damaged or cut short, `unavailable` when
 * the library for it is missing. Leaving it early leaves the source.
 */
export async function* decompressed(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const iterator = source[Symbol.asyncIterator]();
  let start = Buffer.alloc(0);
  while (start.length < LONGEST_SIGNATURE) {
    const next = await iterator.next();
    if (next.done === true) break;
    start = Buffer.concat([start, next.value]);
  }
  const whole = resumed(start, iterator);
  const compression = compressionOf(start);
  yield* compression === undefined ? whole : decoded(compression, whole);
}

/** The same for a stream that is known to be compressed. */
export function decoded(
  compression: Compression,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer> {
  if (compression === 'gzip') return gunzipped(source);
  const openers: Readonly<Record<Exclude<Compression, 'gzip'>, OpenDecoder>> = {
    zstd: openZstdDecoder,
    xz: openXzDecoder,
    bzip2: openBzip2Decoder,
  };
  return decodedBy(openers[compression], source);
}

async function* resumed(
  start: Buffer,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Buffer> {
  try {
    if (start.length > 0) yield start;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      const { buffer, byteOffset, byteLength } = next.value;
      yield Buffer.from(buffer, byteOffset, byteLength);
    }
  } finally {
    await iterator.return?.();
  }
}

async function* decodedBy(
  open: OpenDecoder,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer> {
  const decoder = open();
  try {
    let mayEnd = true;
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length; ) {
        const step = yield* oneStep(decoder, chunk.subarray(at), false);
        at += step.read;
        mayEnd = step.mayEnd;
      }
    }
    // What is left in the decoder, which tells its end only when asked for more.
    while (!mayEnd) {
      const step = yield* oneStep(decoder, Buffer.alloc(0), true);
      mayEnd = step.mayEnd;
      if (!mayEnd && step.written === 0) throw truncatedStream();
    }
  } finally {
    decoder.close();
  }
}

async function* oneStep(decoder: Decoder, input: Uint8Array, isLast: boolean) {
  const output = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  const step = await decoder.step(input, output, isLast);
  if (step.written > 0) yield output.subarray(0, step.written);
  return step;
}

async function* gunzipped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: OUTPUT_BYTES });
  // A failure of the source destroys gunzip with it, so that the loop below throws it.
  const feeding = pipeline(Readable.from(source, { objectMode: false }), gunzip).catch(
    () => undefined,
  );
  try {
    for await (const piece of gunzip) yield piece as Buffer;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'Z_BUF_ERROR') throw truncatedStream();
    throw code?.startsWith('Z_') === true ? damagedStream('gzip', 'invalid data', error) : error;
  } finally {
    gunzip.destroy();
    await feeding;
  }
}
