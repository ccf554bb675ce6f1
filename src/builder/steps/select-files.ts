/** Which files the sources of COPY, ADD and bind mounts mean. */
import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  type Stats,
} from 'node:fs';
import { posix } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { O_PATH, openInRoot, pathOfFd } from '../../sys/fs/open-in-root.ts';
import { errnoCode, isMissing } from '../../sys/system-errors.ts';
import { invalidPathPattern, sourceNotFound } from '../builder-errors.ts';
import type { SourceTree } from '../contexts/source-tree.ts';
import { globExpression, isPattern } from '../patterns/glob.ts';
import type { PathPatterns } from '../patterns/path-patterns.ts';

/** A file, directory or link that is to be copied. */
export interface SelectedFile {
  /** Path below what was selected; empty for that itself. */
  readonly below: string;
  /** Absolute path on this machine. */
  readonly path: string;
  readonly stats: Stats;
}

/** One thing that a source means, with everything in it. */
export interface Selection {
  /** Path in the tree, without leading slash; empty for its root. */
  readonly source: string;
  readonly isDirectory: boolean;
  /** A directory comes before what is in it; names in order. */
  readonly files: readonly SelectedFile[];
}

const DIRECTORY = O_PATH | constants.O_DIRECTORY;

export interface Choice {
  readonly excluded: PathPatterns;
  /** `**` in a source stands for any directories. As file name pattern of Go it is no more than `*`. */
  readonly doubleStar: boolean;
}

/** `not-found` for a source without wildcards that is not there, or is ignored. */
export async function selectFiles(
  tree: SourceTree,
  sources: readonly string[],
  choice: Choice,
): Promise<readonly Selection[]> {
  const { dir } = await tree.open();
  const rootFd = openSync(dir, DIRECTORY);
  try {
    const walk = new Walk(rootFd, tree, choice);
    const selections: Selection[] = [];
    for (const source of sources) {
      const clean = posix.join('/', source).slice(1).replace(/\/$/, '');
      const found = isPattern(clean) ? walk.matching(clean) : [clean];
      for (const path of found) {
        const selection = await walk.select(path);
        if (selection !== undefined) selections.push(selection);
        else if (found.length === 1 && !isPattern(clean)) throw sourceNotFound(tree.name, clean);
      }
    }
    return selections;
  } finally {
    closeSync(rootFd);
  }
}

class Walk {
  readonly #rootFd: number;
  readonly #ignored: PathPatterns;
  readonly #excluded: PathPatterns;
  readonly #doubleStar: boolean;

  constructor(rootFd: number, { ignored }: SourceTree, { excluded, doubleStar }: Choice) {
    this.#rootFd = rootFd;
    this.#ignored = ignored;
    this.#excluded = excluded;
    this.#doubleStar = doubleStar;
  }

  /** Paths that fit a pattern, in order. */
  matching(pattern: string): readonly string[] {
    let paths = [''];
    const segments = pattern.split('/');
    for (const [index, segment] of segments.entries()) {
      const isDeep = this.#doubleStar && segment === '**';
      // At the end it means what is in the directories that were found: they bring all of that themselves.
      if (isDeep && index === segments.length - 1) break;
      paths = paths.flatMap((path) =>
        isDeep ? this.#directories(path) : this.#step(path, segment),
      );
    }
    return [...new Set(paths)];
  }

  /** Undefined when nothing is there. */
  async select(source: string): Promise<Selection | undefined> {
    const real = this.#realPath(source);
    if (real === undefined) return undefined;
    const stats = lstatSync(real);
    const isOut = source !== '' && this.#ignored.leavesOut(source);
    if (!stats.isDirectory()) {
      if (isOut) return undefined;
      const isExcluded =
        this.#excluded.leavesOut(posix.basename(source)) || this.#excluded.leavesOut(source);
      const files = isExcluded ? [] : [{ below: '', path: real, stats }];
      return { source, isDirectory: false, files };
    }
    const files: SelectedFile[] = [{ below: '', path: real, stats }];
    await this.#collect({ source, real, below: '' }, files);
    if (isOut && files.length === 1) return undefined;
    return { source, isDirectory: true, files };
  }

  async #collect(
    at: { readonly source: string; readonly real: string; readonly below: string },
    files: SelectedFile[],
  ): Promise<void> {
    await setImmediate();
    for (const name of readdirSync(at.real).sort()) {
      const below = posix.join(at.below, name);
      const inTree = posix.join(at.source, name);
      const path = `${at.real}/${name}`;
      const stats = lstatSync(path);
      const isOut = this.#ignored.leavesOut(inTree) || this.#excluded.leavesOut(below);
      const mayHoldMore = this.#ignored.takesBack || this.#excluded.takesBack;
      if (isOut && !(stats.isDirectory() && mayHoldMore)) continue;
      const index = files.length;
      if (!isOut) files.push({ below, path, stats });
      if (!stats.isDirectory()) continue;
      await this.#collect({ source: inTree, real: path, below }, files);
      // A directory that is left out comes along for the sake of what was taken back.
      if (isOut && files.length > index) files.splice(index, 0, { below, path, stats });
    }
  }

  /** `path`, if it is a directory, and all directories below it; links are not followed. */
  #directories(path: string): readonly string[] {
    const real = this.#realPath(path);
    if (real === undefined || !lstatSync(real).isDirectory()) return [];
    const below = readdirSync(real, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
    return [path, ...below.flatMap((name) => this.#directories(posix.join(path, name)))];
  }

  #step(path: string, segment: string): readonly string[] {
    if (!isPattern(segment)) return [posix.join(path, segment)];
    const expression = globExpression(segment);
    if (expression === undefined) {
      throw invalidPathPattern(segment);
    }
    const real = this.#realPath(path);
    if (real === undefined || !lstatSync(real).isDirectory()) return [];
    return readdirSync(real)
      .filter((name) => expression.test(name))
      .sort()
      .map((name) => posix.join(path, name));
  }

  /** Where a path leads inside of the tree, links followed. */
  #realPath(path: string): string | undefined {
    try {
      const fd = openInRoot(this.#rootFd, path === '' ? '/' : path, O_PATH);
      try {
        return readlinkSync(pathOfFd(fd));
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      if (isMissing(error) || errnoCode(error) === 'ENOTDIR') return undefined;
      throw error;
    }
  }
}
