/** Members of an ar archive (deb(5)), which is what Debian's packages are. */
import { damagedInput } from '../vm-image-errors.ts';

const MAGIC = '!<arch>\n';
const HEADER_BYTES = 60;
const END_MARK = '`\n';

export interface ArMember {
  readonly name: string;
  readonly content: Buffer;
}

/** `corrupt` when the archive is cut short or none at all; `name` is what the message calls it. */
export function* arMembers(archive: Buffer, name: string): Generator<ArMember> {
  if (archive.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    throw damagedInput(name, 'not a Debian package');
  }
  let at = MAGIC.length;
  while (at < archive.length) {
    const header = archive.toString('latin1', at, at + HEADER_BYTES);
    const size = Number(header.slice(48, 58).trim() || Number.NaN);
    const start = at + HEADER_BYTES;
    const isWhole = header.endsWith(END_MARK) && start + size <= archive.length;
    if (!(isWhole && Number.isSafeInteger(size))) throw damagedInput(name, 'cut short or damaged');
    yield {
      name: header.slice(0, 16).trim().replace(/\/$/, ''),
      content: archive.subarray(start, start + size),
    };
    // Members begin at even offsets.
    at = start + size + (size & 1);
  }
}
