/** Finds out how a stream is compressed and undoes it. */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { unsupportedArchiveCompression } from './archive-errors.ts';

const SIGNATURES: readonly { readonly name: string; readonly bytes: readonly number[] }[] = [
  { name: 'gzip', bytes: [0x1f, 0x8b] },
  { name: 'zstd', bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: 'xz', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { name: 'bzip2', bytes: [0x42, 0x5a, 0x68] },
];
const LONGEST_SIGNATURE = 6;

/** The name of the compression that `start` begins with, undefined for anything else. */
export function compressionOf(start: Uint8Array): string | undefined {
  return SIGNATURES.find(({ bytes }) => bytes.every((byte, index) => start[index] === byte))?.name;
}

/** The uncompressed stream. `not-implemented` for compressions other than gzip. */
export async function decompress(source: AsyncIterable<Uint8Array>): Promise<Readable> {
  const iterator = source[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let length = 0;
  while (length < LONGEST_SIGNATURE) {
    const next = await iterator.next();
    if (next.done === true) break;
    first.push(next.value);
    length += next.value.length;
  }
  const start = Buffer.concat(first);
  const compression = compressionOf(start);
  if (compression !== undefined && compression !== 'gzip') {
    await iterator.return?.();
    throw unsupportedArchiveCompression(compression);
  }
  const whole = Readable.from(rejoined(start, iterator), { objectMode: false });
  if (compression === undefined) return whole;
  const gunzip = createGunzip();
  whole.once('error', (error) => gunzip.destroy(error));
  return whole.pipe(gunzip);
}

async function* rejoined(
  start: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    if (start.length > 0) yield start;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}
