/** The guest's root as a tar archive, for machines that bring their own kernel and make their own disk. */
import { pack } from 'tar-stream';
import type { ImageEntry, ImageTree } from '../tree/image-tree.ts';

const EPOCH = new Date(0);

/** The bytes of the archive, piece by piece; the same tree gives the same bytes. */
export async function* writeTar(tree: ImageTree): AsyncGenerator<Uint8Array> {
  const archive = pack();
  for (const [path, entry] of tree.sorted()) {
    if (path === '') continue;
    const owner = { name: path, mtime: EPOCH, uid: 0, gid: 0, uname: 'root', gname: 'root' };
    add(archive, owner, entry);
  }
  archive.finalize();
  for await (const chunk of archive) yield chunk as Uint8Array;
}

function add(archive: ReturnType<typeof pack>, owner: { name: string }, entry: ImageEntry): void {
  if (entry.kind === 'symlink') {
    archive.entry({ ...owner, type: 'symlink', linkname: entry.target });
  } else if (entry.kind === 'directory') {
    archive.entry({ ...owner, type: 'directory', mode: entry.mode });
  } else {
    archive.entry({ ...owner, type: 'file', mode: entry.mode }, entry.content);
  }
}
