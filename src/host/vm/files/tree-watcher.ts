/** Notices what changes below directories of this computer. */
import { type FSWatcher, watch } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { messageOf } from '../../../shared/errors.ts';
import { errnoCode } from '../../../sys/system-errors.ts';

export interface TreeWatcherOptions {
  /** Something is new, other or gone. Told more often than it is true. */
  readonly onChange: (path: string) => void;
  /** A directory is watched from now on (`new` when it appeared just now), or not any more. Told only where each needs a watch of its own. */
  readonly onDirectory: (path: string, state: 'old' | 'new' | 'gone') => void;
  /** Not everything is watched. Told once for each set of trees. */
  readonly onLimit: (problem: string) => void;
  readonly maxDirectories: number;
  /** Stands in for node's in tests. */
  readonly watch?: typeof watch;
}

/** The others watch whole trees by themselves (FSEvents, ReadDirectoryChangesW). */
const ONE_BY_ONE = process.platform === 'linux';
/** Of the kernel, for having too many watches or too many watchers. */
const FULL = ['ENOSPC', 'EMFILE', 'ENFILE'];

export class TreeWatcher {
  readonly #options: TreeWatcherOptions;
  readonly #watches = new Map<string, FSWatcher>();
  #roots: readonly string[] = [];
  #isFull = false;

  constructor(options: TreeWatcherOptions) {
    this.#options = options;
  }

  /** Watches these directories and files, with all below them, and nothing else. Resolves when all have been visited. */
  async setRoots(paths: readonly string[]): Promise<void> {
    this.#roots = paths.filter((path) => !paths.some((other) => isBelow(path, other)));
    this.#isFull = false;
    for (const path of [...this.#watches.keys()]) if (!this.#isWanted(path)) this.#forget(path);
    await Promise.all(this.#roots.map((root) => this.#visit(root, false)));
  }

  /** Watches nothing any more. */
  close(): void {
    this.#roots = [];
    for (const path of [...this.#watches.keys()]) this.#forget(path);
  }

  /** Nearest first: when not everything can be watched, what lies deep is left out. */
  async #visit(top: string, isNew: boolean): Promise<void> {
    const isTree = await isDirectory(top);
    const queue = [top];
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
      if (this.#watches.has(path) || !this.#isWanted(path)) continue;
      if (!this.#watch(path, isTree, isNew)) return;
      if (isTree && ONE_BY_ONE) queue.push(...(await this.#directoriesIn(path, isNew)));
    }
  }

  async #directoriesIn(path: string, isNew: boolean): Promise<readonly string[]> {
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    // They may have been there before the watch was.
    if (isNew) for (const { name } of entries) this.#options.onChange(join(path, name));
    return entries.flatMap((each) => (each.isDirectory() ? [join(path, each.name)] : []));
  }

  /** False when nothing more can be watched. */
  #watch(path: string, isTree: boolean, isNew: boolean): boolean {
    const { maxDirectories } = this.#options;
    if (this.#watches.size >= maxDirectories) {
      return this.#full(`there are more than ${maxDirectories} directories`);
    }
    try {
      const start = this.#options.watch ?? watch;
      const watcher = start(path, { persistent: false, recursive: isTree && !ONE_BY_ONE });
      watcher.on('change', (kind, name) => this.#changed(path, { isTree, kind, name }));
      watcher.on('error', () => this.#forget(path));
      this.#watches.set(path, watcher);
      if (isTree && ONE_BY_ONE) this.#options.onDirectory(path, isNew ? 'new' : 'old');
      return true;
    } catch (error) {
      if (FULL.includes(errnoCode(error) ?? '')) return this.#full(messageOf(error));
      // It vanished, or it is not ours to read: there is nothing to watch.
      return true;
    }
  }

  #full(problem: string): false {
    if (!this.#isFull) this.#options.onLimit(problem);
    this.#isFull = true;
    return false;
  }

  #changed(
    watched: string,
    {
      isTree,
      kind,
      name,
    }: { readonly isTree: boolean; readonly kind: string; readonly name: string | Buffer | null },
  ): void {
    if (!isTree || name === null) {
      this.#options.onChange(watched);
      return;
    }
    const path = join(watched, String(name));
    this.#options.onChange(path);
    if (kind === 'rename' && ONE_BY_ONE) {
      this.#cameOrWent(path).catch(() => undefined);
      // What happens to a directory itself is told under its own name.
      if (basename(watched) === name) this.#cameOrWent(watched).catch(() => undefined);
    }
  }

  async #cameOrWent(path: string): Promise<void> {
    if (await isDirectory(path)) {
      await this.#visit(path, true);
      return;
    }
    for (const watched of [...this.#watches.keys()]) {
      if (watched === path || isBelow(watched, path)) this.#forget(watched);
    }
  }

  #forget(path: string): void {
    this.#watches.get(path)?.close();
    if (this.#watches.delete(path) && ONE_BY_ONE) this.#options.onDirectory(path, 'gone');
  }

  #isWanted(path: string): boolean {
    return this.#roots.some((root) => path === root || isBelow(path, root));
  }
}

/** Whether `path` is inside of `other`. */
export function isBelow(path: string, other: string): boolean {
  return path !== other && path.startsWith(join(other, '/'));
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}
