/** What a layer's directory must look like, from the entries of its archive; the same rules as in unpacking. */
import { createHash, type Hash } from 'node:crypto';
import type { WhiteoutFormat } from '../snapshotter.ts';
import type { TarEntry } from '../tar/tar-entry.ts';
import type { TarEvent } from '../tar/tar-parser.ts';
import { cleanName } from '../unpack/layer-paths.ts';
import { isWhiteoutName, OPAQUE_NAME, WHITEOUT_PREFIX } from '../unpack/whiteouts.ts';

/** One path of the directory. `name` is the one in the archive, before links of its parents were followed. */
export type ExpectedFile =
  | {
      readonly kind: 'file' | 'directory' | 'symlink' | 'fifo';
      readonly name: string;
      readonly entry: TarEntry;
      /** Of the contents, in hexadecimal digits, where they are compared. */
      sha256?: string;
    }
  | { readonly kind: 'whiteout'; readonly name: string };

const MAX_LINKS = 40;
const ZEROS = Buffer.alloc(64 * 1024);

export class ExpectedTree {
  readonly files = new Map<string, ExpectedFile>();
  readonly #format: WhiteoutFormat;
  readonly #hashes: boolean;
  #hashing: ContentHash | undefined;

  constructor(format: WhiteoutFormat, options: { readonly hashes: boolean }) {
    this.#format = format;
    this.#hashes = options.hashes;
  }

  take(event: TarEvent): void {
    if (event.kind === 'entry') this.#takeEntry(event.entry);
    else if (event.kind === 'data') this.#hashing?.add(event.bytes, event.position);
    else {
      this.#hashing?.finish();
      this.#hashing = undefined;
    }
  }

  #takeEntry(entry: TarEntry): void {
    const name = cleanName(entry.name);
    const slash = name.lastIndexOf('/');
    const parent = this.#resolve(slash < 0 ? '' : name.slice(0, slash));
    const base = name.slice(slash + 1);
    const path = under(parent, base);
    if (isWhiteoutName(base)) this.#takeWhiteout(parent, base, name);
    else if (entry.type === 'hardlink') this.#takeHardLink(path, entry);
    else if (isKept(entry.type)) {
      this.files.delete(under(parent, `${WHITEOUT_PREFIX}${base}`));
      this.#put(path, { kind: entry.type, name, entry });
    }
  }

  #put(path: string, file: ExpectedFile): void {
    const before = this.files.get(path);
    if (before?.kind === 'directory' && file.kind !== 'directory') this.#removeBelow(path);
    this.files.set(path, file);
    if (file.kind === 'file' && this.#hashes) this.#hashing = new ContentHash(file);
  }

  #takeHardLink(path: string, entry: TarEntry): void {
    const target = cleanName(entry.linkName);
    const slash = target.lastIndexOf('/');
    const parent = this.#resolve(slash < 0 ? '' : target.slice(0, slash));
    const linked = this.files.get(under(parent, target.slice(slash + 1)));
    if (linked !== undefined) this.files.set(path, linked);
  }

  #takeWhiteout(parent: string, base: string, name: string): void {
    if (base.startsWith(`${WHITEOUT_PREFIX}${WHITEOUT_PREFIX}`)) {
      if (base === OPAQUE_NAME && this.#format === 'files') {
        this.files.set(under(parent, base), { kind: 'whiteout', name });
      }
      return;
    }
    const hidden = under(parent, base.slice(WHITEOUT_PREFIX.length));
    if (this.files.has(hidden)) return;
    const marker = this.#format === 'files' ? under(parent, base) : hidden;
    this.files.set(marker, { kind: 'whiteout', name });
  }

  #removeBelow(dir: string): void {
    for (const path of this.files.keys()) if (path.startsWith(`${dir}/`)) this.files.delete(path);
  }

  /** Follows links of this layer among the components, as the unpacking did. */
  #resolve(dir: string): string {
    if (dir === '' || this.files.get(dir)?.kind === 'directory') return dir;
    let resolved: string[] = [];
    let pending = dir.split('/');
    let links = 0;
    for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
      if (part === '' || part === '.') continue;
      if (part === '..') {
        resolved.pop();
        continue;
      }
      const found = this.files.get([...resolved, part].join('/'));
      if (found?.kind !== 'symlink' || ++links > MAX_LINKS) {
        resolved.push(part);
        continue;
      }
      const target = found.entry.linkName;
      if (target.startsWith('/')) resolved = [];
      pending = [...target.split('/'), ...pending];
    }
    return resolved.join('/');
  }
}

/** Holes are hashed as the zeros that they read as. */
class ContentHash {
  readonly #file: Extract<ExpectedFile, { entry: TarEntry }>;
  readonly #hash: Hash = createHash('sha256');
  #at = 0;

  constructor(file: Extract<ExpectedFile, { entry: TarEntry }>) {
    this.#file = file;
  }

  add(bytes: Buffer, position: number): void {
    this.#skipTo(position);
    this.#hash.update(bytes);
    this.#at += bytes.length;
  }

  finish(): void {
    this.#skipTo(this.#file.entry.size);
    this.#file.sha256 = this.#hash.digest('hex');
  }

  #skipTo(position: number): void {
    while (this.#at < position) {
      const piece = ZEROS.subarray(0, Math.min(ZEROS.length, position - this.#at));
      this.#hash.update(piece);
      this.#at += piece.length;
    }
  }
}

/** Devices are left out where there is no privilege, and unknown types everywhere. */
function isKept(type: TarEntry['type']): type is 'file' | 'directory' | 'symlink' | 'fifo' {
  return ['file', 'directory', 'symlink', 'fifo'].includes(type);
}

function under(parent: string, base: string): string {
  return parent === '' ? base : `${parent}/${base}`;
}
