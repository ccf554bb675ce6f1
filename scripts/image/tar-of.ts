/** Tar archives from a list of entries, in the order given: the same list gives the same bytes. */
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';

/** One entry of a layer, owned by root. */
export type LayerEntry =
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly mode: number;
      readonly content: Buffer;
    };

/** Packs `entries`, all with one modification time (milliseconds since the epoch). */
export async function tarOf(entries: readonly LayerEntry[], mtimeMs: number): Promise<Buffer> {
  const archive = pack();
  const mtime = new Date(Math.floor(mtimeMs / 1000) * 1000);
  const bytes = buffer(archive);
  for (const entry of entries) {
    const owner = { mtime, uid: 0, gid: 0, uname: 'root', gname: 'root', name: entry.path };
    if (entry.kind === 'directory') {
      archive.entry({ ...owner, type: 'directory', mode: entry.mode });
    } else if (entry.kind === 'symlink') {
      archive.entry({ ...owner, type: 'symlink', linkname: entry.target });
    } else {
      archive.entry({ ...owner, type: 'file', mode: entry.mode }, entry.content);
    }
  }
  archive.finalize();
  return bytes;
}
