/**
 * Writes files and directories as a tar stream. Directories stay open while their entries are read, so that a running
 * container cannot lead the walk elsewhere.
 */
import { closeSync, constants } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { pathOfFd } from '../../sys/fs/open-in-root.ts';
import { lgetxattr } from '../../sys/libc.ts';
import { errnoCode } from '../../sys/system-errors.ts';
import { statIfThere, VANISHED } from './stat-if-there.ts';
import { type OwnerOf, openIfThere, TarEntries } from './tar-entries.ts';

const CAPABILITY = 'security.capability';
const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();

interface Level {
  readonly fd: number;
  readonly prefix: string;
  readonly names: string[];
}

export class TarWalk {
  readonly #entries: TarEntries;

  constructor(ownerOf: OwnerOf) {
    this.#entries = new TarEntries(capabilityOf, ownerOf);
  }

  /** One entry that is no directory, named `as`. */
  async *file(dirFd: number, name: string, as: string): AsyncGenerator<Buffer> {
    yield* this.#entries.file({ dirFd, name, as });
    yield* this.#entries.end();
  }

  /**
   * The directory `fd`, which is closed at the end, with everything below. `as` names it, without a slash at the end
   * except for the root; undefined leaves out the directory itself.
   */
  async *directory(fd: number, as: string | undefined): AsyncGenerator<Buffer> {
    const prefix = as === undefined || as === '' ? '' : as.replace(/\/*$/, '/');
    const stack: Level[] = [{ fd, prefix, names: [] }];
    try {
      if (prefix !== '') this.#entries.directory(fd, prefix);
      stack[0]?.names.push(...(await namesIn(fd)));
      for (let level = stack.at(-1); level !== undefined; level = stack.at(-1)) {
        const name = level.names.pop();
        if (name === undefined) {
          closeSync(level.fd);
          stack.pop();
          continue;
        }
        yield* this.#next(stack, level, name);
      }
    } finally {
      for (const level of stack) closeSync(level.fd);
    }
    yield* this.#entries.end();
  }

  async *#next(stack: Level[], level: Level, name: string): AsyncGenerator<Buffer> {
    const as = level.prefix + name;
    const stats = statIfThere(level.fd, name);
    if (stats === undefined) return;
    if (!stats.isDirectory()) {
      yield* this.#entries.file({ dirFd: level.fd, name, as });
      return;
    }
    const fd = openIfThere(pathOfFd(level.fd, name), DIRECTORY);
    if (fd === undefined) return;
    const below: Level = { fd, prefix: `${as}/`, names: [] };
    stack.push(below);
    this.#entries.directory(fd, below.prefix);
    below.names.push(...(await namesIn(fd)));
    yield* this.#entries.full();
  }
}

/** Names in reverse order: they are taken from the end. */
async function namesIn(fd: number): Promise<string[]> {
  return (await readdir(pathOfFd(fd))).sort().reverse();
}

/** File capabilities, which Docker's archives carry as well. */
function capabilityOf(path: string): ReadonlyMap<string, Buffer> {
  try {
    const value = lgetxattr(path, CAPABILITY);
    return value === undefined ? NO_XATTRS : new Map([[CAPABILITY, value]]);
  } catch (error) {
    if (errnoCode(error) === 'ENOTSUP' || VANISHED.has(errnoCode(error))) return NO_XATTRS;
    throw error;
  }
}
