/** The kernel's initial root: a cpio archive in the "newc" form (linux/Documentation/driver-api/early-userspace/buffer-format.rst). */
import { type ImageEntry, type ImageTree, modeOf } from '../tree/image-tree.ts';

const MAGIC = '070701';
const END_NAME = 'TRAILER!!!';

/** The archive of `tree`, not compressed: the same tree gives the same bytes. */
export function writeCpio(tree: ImageTree): Buffer {
  const members = tree
    .sorted()
    .filter(([path]) => path !== '')
    .map(([path, entry], index) =>
      member(path, { mode: modeOf(entry), inode: index + 1 }, contentOf(entry)),
    );
  const end = member(END_NAME, { mode: 0, inode: 0 }, Buffer.alloc(0));
  return Buffer.concat([...members, end]);
}

function member(
  name: string,
  { mode, inode }: { readonly mode: number; readonly inode: number },
  content: Buffer,
): Buffer {
  const nameBytes = Buffer.from(`${name}\0`);
  const [uid, gid, mtime, device] = [0, 0, 0, 0];
  const fields = [inode, mode, uid, gid, 1, mtime, content.length]
    .concat(device, device, device, device)
    .concat(nameBytes.length, 0)
    .map((field) => field.toString(16).padStart(8, '0'));
  const header = Buffer.from(MAGIC + fields.join(''));
  return Buffer.concat([padded(Buffer.concat([header, nameBytes])), padded(content)]);
}

/** Names and contents end at multiples of four bytes. */
function padded(bytes: Buffer): Buffer {
  const missing = -bytes.length & 3;
  return missing === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(missing)]);
}

function contentOf(entry: ImageEntry): Buffer {
  if (entry.kind === 'symlink') return Buffer.from(entry.target);
  return entry.kind === 'file' ? entry.content : Buffer.alloc(0);
}
