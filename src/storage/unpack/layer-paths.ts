/**
 * Names of layer entries, resolved inside the layer's directory. Parents are resolved one component at a
 * time: a symbolic link among them is followed as the container would follow it, with the directory as its
 * root, and never out of it. Nobody else writes to the directory meanwhile, so what was checked stays true.
 */
import { lstatSync, mkdirSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../shared/errors.ts';
import { outsideRoot } from '../storage-errors.ts';

/** Where an entry goes: its directory, which exists, and its name there. */
export interface PlacedName {
  /** Cleaned name within the layer, without leading slash; empty for the root itself. */
  readonly name: string;
  readonly base: string;
  readonly parentDir: string;
  readonly path: string;
}

/** The kernel gives up after as many links (path_resolution(7)). */
const MAX_LINKS = 40;

export class LayerPaths {
  readonly #root: string;
  /** Directories known to be real ones, by cleaned name. */
  readonly #known = new Map<string, string>();

  constructor(root: string) {
    this.#root = root;
    this.#known.set('', root);
  }

  /** Finds (and makes, when missing) the directory of an entry. `corrupt` when the name leads out of the layer. */
  place(rawName: string): PlacedName {
    const name = cleanName(rawName);
    const slash = name.lastIndexOf('/');
    const parent = slash < 0 ? '' : name.slice(0, slash);
    const base = name.slice(slash + 1);
    const parentDir = this.#known.get(parent) ?? this.#resolveDirectory(parent, rawName);
    return { name, base, parentDir, path: base === '' ? parentDir : `${parentDir}/${base}` };
  }

  /** An entry made a directory of this name: the next entries will lie in it. */
  remember(placed: PlacedName): void {
    this.#known.set(placed.name, placed.path);
  }

  /** Something that existed was replaced: what was known may be wrong. */
  forget(): void {
    this.#known.clear();
    this.#known.set('', this.#root);
  }

  #resolveDirectory(parent: string, rawName: string): string {
    const resolved = this.#walk(parent.split('/'), rawName);
    const dir = resolved.length === 0 ? this.#root : join(this.#root, ...resolved);
    this.#known.set(parent, dir);
    return dir;
  }

  /** The components of the real directory that `pending` names, below the root. */
  #walk(pending: string[], rawName: string): readonly string[] {
    let resolved: string[] = [];
    let links = 0;
    for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
      if (part === '' || part === '.') continue;
      if (part === '..') {
        if (resolved.pop() === undefined) throw outsideRoot(outsideText(rawName));
        continue;
      }
      const path = join(this.#root, ...resolved, part);
      if (!this.#isLink(path, rawName)) {
        resolved.push(part);
        continue;
      }
      if (++links > MAX_LINKS) throw outsideRoot(`"${rawName}": too many levels of symbolic links`);
      const target = readlinkSync(path);
      if (target.startsWith('/')) resolved = [];
      pending = [...target.split('/'), ...pending];
    }
    return resolved;
  }

  /** True for a symbolic link; makes the directory when nothing is there. */
  #isLink(path: string, rawName: string): boolean {
    const stats = tryLstat(path);
    if (stats === undefined) mkdirSync(path, 0o755);
    else if (stats.isSymbolicLink()) return true;
    else if (!stats.isDirectory()) throw outsideRoot(`"${rawName}": parent is not a directory`);
    return false;
  }
}

/** What is at `path` itself, undefined when nothing is. */
export function tryLstat(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The name without `.`, `..`, doubled and leading slashes. A leading slash means the layer's root, as for
 * Docker. `corrupt` for a name that climbs above the root or has a NUL in it.
 */
export function cleanName(rawName: string): string {
  if (isClean(rawName)) return rawName;
  if (rawName.includes('\0')) throw outsideRoot('invalid name with a NUL byte');
  const parts: string[] = [];
  for (const part of rawName.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) throw outsideRoot(outsideText(rawName));
  }
  return parts.join('/');
}

/**
 * Refuses a relative link target that climbs above the layer's root from where the link stands: no
 * well-made layer has one, and only the container's root would stop it.
 */
export function checkLinkTarget(name: string, target: string): void {
  if (target.startsWith('/') || !target.includes('..')) return;
  let depth = name.split('/').length - 1;
  for (const part of target.split('/')) {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    if (depth < 0) throw outsideRoot(`invalid symlink "/${name}" -> "${target}"`);
  }
}

const UNCLEAN = /(?:^|\/)\.{0,2}(?:\/|$)/;

function isClean(name: string): boolean {
  return !UNCLEAN.test(name) && !name.includes('\0');
}

function outsideText(rawName: string): string {
  return `"${rawName}" is outside of "/"`;
}
