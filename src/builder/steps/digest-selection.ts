/** What selected files are, by content and mode: two selections with the same digest make the same copies. */
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { type Digest, digestOf } from '../../oci/digest.ts';
import type { SelectedFile, Selection } from './select-files.ts';

/** Larger files are read in pieces. */
const AT_ONCE_BYTES = 128 * 1024;
/** Digests that are remembered; a file that is the same to the kernel has the same content. */
const MOST_REMEMBERED = 100_000;
const PAUSE_AFTER_FILES = 64;

export class FileDigests {
  readonly #known = new Map<string, string>();

  /** The digest of all selections, owners included where they count. */
  async ofSelections(
    selections: readonly Selection[],
    options: { readonly keepsOwners: boolean },
  ): Promise<Digest> {
    const lines: string[] = [];
    for (const { source, isDirectory, files } of selections) {
      lines.push(`source ${isDirectory ? '' : source}`);
      for (const [index, file] of files.entries()) {
        // The directory that is named lends its contents only.
        if (isDirectory && file.below === '') continue;
        lines.push(await this.#describe(file, options));
        if (index % PAUSE_AFTER_FILES === 0) await setImmediate();
      }
    }
    return digestOf(lines.join('\n'));
  }

  async #describe(file: SelectedFile, options: { readonly keepsOwners: boolean }): Promise<string> {
    const { below, path, stats } = file;
    const owner = options.keepsOwners ? `${stats.uid}:${stats.gid}` : '';
    const head = [JSON.stringify(below), (stats.mode & 0o7777).toString(8), owner].join(' ');
    if (stats.isSymbolicLink()) return `link ${head} ${JSON.stringify(readlinkSync(path))}`;
    if (stats.isFile()) return `file ${head} ${await this.#contentOf(path, stats)}`;
    return `${stats.isDirectory() ? 'directory' : 'special'} ${head}`;
  }

  async #contentOf(path: string, stats: Stats): Promise<string> {
    const { dev, ino, size, mtimeMs, ctimeMs } = stats;
    const key = [dev, ino, size, mtimeMs, ctimeMs].join(':');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const digest = size <= AT_ONCE_BYTES ? digestOf(readFileSync(path)) : await digestOfFile(path);
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear();
    this.#known.set(key, digest);
    return digest;
  }
}

async function digestOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}
