/** A body that may be compressed, as the events of the tar archive inside. */
import { kindOf } from '../../shared/errors.ts';
import { Pace } from '../../shared/pace.ts';
import { decompressed } from '../../sys/compression/decompress.ts';
import { type TarEvent, TarParser } from '../tar/tar-parser.ts';
import { damagedArchive } from './archive-errors.ts';

/** One piece holds at most 128 entries. */
const PIECE_BYTES = 64 * 1024;

/** The archive's events in order, read to its end. `invalid-argument` when it is damaged or cannot be read. */
export async function* tarEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<TarEvent> {
  const parser = new TarParser();
  const pace = new Pace();
  try {
    for await (const chunk of decompressed(body)) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        parser.push(chunk.subarray(at, at + PIECE_BYTES));
        for (let event = parser.next(); event !== undefined; event = parser.next()) {
          yield event;
          await pace.step();
        }
      }
    }
    parser.finish();
  } catch (error) {
    throw kindOf(error) === 'corrupt' ? damagedArchive(error) : error;
  }
}
