/** Compression of layers, done by the threads of zlib beside the event loop. The same bytes give the same result. */
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** The compressed bytes of `source`; throws what `source` throws. */
export async function* gzipped(
  source: AsyncIterable<Uint8Array>,
  level: number,
): AsyncGenerator<Uint8Array> {
  const gzip = createGzip({ level, chunkSize: 64 * 1024 });
  // A failure of the source destroys gzip with it, so that the loop below throws it.
  const feeding = pipeline(source, gzip).catch(() => undefined);
  try {
    for await (const chunk of gzip) yield chunk as Uint8Array;
  } finally {
    gzip.destroy();
    await feeding;
  }
}
