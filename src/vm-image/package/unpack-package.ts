/** The files of a Debian package or of a package of npm. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { EngineError } from '../../shared/errors.ts';
import type { ImageTree } from '../tree/image-tree.ts';
import { damagedInput } from '../vm-image-errors.ts';
import { arMembers } from './ar-members.ts';
import { unxzStream } from './unxz.ts';

const unzip = promisify(gunzip);

type TarEntry = AsyncIterable<unknown> & { readonly header: Header; resume(): void };

/** Where a file of the package goes in the tree; undefined leaves it out. */
export type Placement = (path: string) => string | undefined;

/** Adds the files of a Debian package. `corrupt` when it cannot be read; `name` is what the message calls it. */
export async function unpackDebian(
  archive: Buffer,
  tree: ImageTree,
  { name, place }: { readonly name: string; readonly place: Placement },
): Promise<void> {
  for (const member of arMembers(archive, name)) {
    if (!member.name.startsWith('data.tar')) continue;
    if (member.name !== 'data.tar.xz') {
      throw damagedInput(name, `packed in a way that is not understood (${member.name})`);
    }
    await unpackTar(unxzStream(member.content), tree, { name, place });
    return;
  }
  throw damagedInput(name, 'a package without files');
}

/** The same for a package of npm (a gzipped tar). */
export async function unpackNpm(
  archive: Buffer,
  tree: ImageTree,
  { name, place }: { readonly name: string; readonly place: Placement },
): Promise<void> {
  const bytes = await unzip(archive).catch((error: unknown) => {
    throw damagedInput(name, 'cut short or damaged', error);
  });
  await unpackTar(Readable.from([bytes]), tree, { name, place });
}

async function unpackTar(
  source: Readable,
  tree: ImageTree,
  { name, place }: { readonly name: string; readonly place: Placement },
): Promise<void> {
  const archive = extract();
  const feeding = pipeline(source, archive).then(
    () => undefined,
    (error: unknown) => error,
  );
  try {
    for await (const entry of archive) await addEntry(entry, tree, place);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw damagedInput(name, 'cut short or damaged', error);
  } finally {
    archive.destroy();
  }
  const failure = await feeding;
  if (failure !== undefined) throw damagedInput(name, 'cut short or damaged', failure);
}

async function addEntry(entry: TarEntry, tree: ImageTree, place: Placement): Promise<void> {
  const { header } = entry;
  const path = place(plain(header.name));
  if (path === undefined || header.type === 'directory') {
    entry.resume();
    return;
  }
  if (header.type === 'symlink') {
    tree.add(path, { kind: 'symlink', target: header.linkname ?? '' });
  } else if (header.type === 'link') {
    const original = tree.at(place(plain(header.linkname ?? '')) ?? '');
    if (original?.kind === 'file') tree.add(path, original);
  } else if (header.type === 'file') {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const own = header.mode ?? 0;
    // newuidmap and its like are of use only with their set-uid bit.
    const mode = own & 0o111 ? 0o755 | (own & 0o4000) : 0o644;
    tree.add(path, { kind: 'file', mode, content: Buffer.concat(chunks) });
    return;
  }
  entry.resume();
}

function plain(path: string): string {
  return path.replace(/^\.?\//, '');
}
