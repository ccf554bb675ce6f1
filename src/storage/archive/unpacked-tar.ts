/** A body that may be compressed, as the events of the tar archive inside. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { kindOf, systemCode } from '../../shared/errors.ts';
import { type TarEvent, TarParser } from '../tar/tar-parser.ts';
import { damagedArchive, unreadableCompression } from './archive-errors.ts';

/** One piece is handled without a pause: at most 128 entries. */
const PIECE_BYTES = 64 * 1024;

const SIGNATURES: readonly { readonly name: string; readonly bytes: readonly number[] }[] = [
  { name: 'gzip', bytes: [0x1f, 0x8b] },
  { name: 'bzip2', bytes: [0x42, 0x5a, 0x68] },
  { name: 'xz', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a] },
  { name: 'zstd', bytes: [0x28, 0xb5, 0x2f, 0xfd] },
];
const LONGEST_SIGNATURE = 5;

/** The archive's events in order, read to its end. `invalid-argument` when it is damaged or cannot be read. */
export async function* tarEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<TarEvent> {
  const parser = new TarParser();
  try {
    for await (const chunk of decompressed(body)) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        parser.push(chunk.subarray(at, at + PIECE_BYTES));
        for (let event = parser.next(); event !== undefined; event = parser.next()) yield event;
        await setImmediate();
      }
    }
    parser.finish();
  } catch (error) {
    const isDamage = kindOf(error) === 'corrupt' || systemCode(error)?.startsWith('Z_') === true;
    throw isDamage ? damagedArchive(error) : error;
  }
}

async function* decompressed(body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const iterator = body[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < LONGEST_SIGNATURE) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  const found = SIGNATURES.find(({ bytes }) => bytes.every((byte, at) => head[at] === byte));
  if (found === undefined) yield* resumed(head, iterator);
  else if (found.name === 'gzip') yield* gunzipped(resumed(head, iterator));
  else throw unreadableCompression(found.name);
}

async function* resumed(head: Buffer, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Buffer> {
  yield head;
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
    const { buffer, byteOffset, byteLength } = next.value;
    yield Buffer.from(buffer, byteOffset, byteLength);
  }
}

async function* gunzipped(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip();
  // A failure of the source ends the iteration below with its error.
  const feeding = pipeline(Readable.from(source, { objectMode: false }), gunzip).catch(
    () => undefined,
  );
  try {
    for await (const piece of gunzip) yield piece as Buffer;
  } finally {
    gunzip.destroy();
    await feeding;
  }
}
