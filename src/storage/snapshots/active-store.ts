/**
 * Writable snapshots on disk: `active/<key>/{fs,work}` and `parent`, a symbolic link whose text is the parent's
 * chainID; `kept`, another one, has the ids that its container keeps (`UID:GID`) where it keeps any. The link is made last and costs no sync of its own: the file system keeps the order of names, so the
 * durable write of the container's document, which follows, brings it to disk as well.
 */
import { chmod, lchown, mkdir, readdir, readlink, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, parseDigest } from '../../oci/digest.ts';
import type { KeptId } from '../../oci/kept-id.ts';
import { systemCode } from '../../shared/errors.ts';
import { noSuchSnapshot, snapshotExists, writeFailed } from '../storage-errors.ts';
import type { BackgroundRemoval } from './background-removal.ts';

const PARENT = 'parent';
const KEPT = 'kept';
const NO_PARENT = 'none';
const CONTENTS = 'fs';
const WORK = 'work';

export class ActiveStore {
  readonly #dir: string;
  readonly #removal: BackgroundRemoval;
  readonly #parents = new Map<string, Digest | undefined>();
  readonly #kept = new Map<string, KeptId>();

  private constructor(dir: string, removal: BackgroundRemoval) {
    this.#dir = dir;
    this.#removal = removal;
  }

  /** Reads what is there and removes what a crash left unfinished. */
  static async open(dir: string, removal: BackgroundRemoval): Promise<ActiveStore> {
    const store = new ActiveStore(dir, removal);
    await mkdir(dir, { recursive: true, mode: 0o700 });
    for (const key of await readdir(dir)) await store.#load(key);
    return store;
  }

  has(key: string): boolean {
    return this.#parents.has(key);
  }

  keys(): readonly string[] {
    return [...this.#parents.keys()];
  }

  /** True when an active snapshot stands directly on this layer. */
  standsOn(chainId: Digest): boolean {
    for (const parent of this.#parents.values()) if (parent === chainId) return true;
    return false;
  }

  /** `not-found` for an unknown key. */
  parentOf(key: string): Digest | undefined {
    if (!this.#parents.has(key)) throw noSuchSnapshot(key);
    return this.#parents.get(key);
  }

  /** The ids that the container of this snapshot keeps. */
  keptOf(key: string): KeptId | undefined {
    return this.#kept.get(key);
  }

  /** To be called once. `not-found` for an unknown key. */
  async keep(key: string, kept: KeptId): Promise<void> {
    if (!this.#parents.has(key)) throw noSuchSnapshot(key);
    await symlink(`${kept.uid}:${kept.gid}`, join(this.#dir, key, KEPT));
    this.#kept.set(key, kept);
  }

  /** Absolute path of the writable files. */
  contentsDir(key: string): string {
    return join(this.#dir, key, CONTENTS);
  }

  /** Path of the writable files, relative to the store's directory. */
  relativeContentsDir(key: string): string {
    return `${key}/${CONTENTS}`;
  }

  /** Path of overlay's work directory, relative to the store's directory. */
  relativeWorkDir(key: string): string {
    return `${key}/${WORK}`;
  }

  /**
   * Makes the directories of a new snapshot; its root looks like `rootOf`, the directory that it covers.
   * `fill` may put files in before the snapshot counts as made. `conflict` when the key exists.
   */
  async create(
    key: string,
    parent: Digest | undefined,
    content: { readonly rootOf: string; fill?(contentsDir: string): Promise<void> },
  ): Promise<void> {
    if (this.#parents.has(key)) throw snapshotExists(key);
    this.#parents.set(key, parent);
    const dir = join(this.#dir, key);
    try {
      await mkdir(dir, { mode: 0o700 });
      await Promise.all([
        makeLike(content.rootOf, join(dir, CONTENTS)),
        mkdir(join(dir, WORK), { mode: 0o700 }),
      ]);
      await content.fill?.(join(dir, CONTENTS));
      await symlink(parent ?? NO_PARENT, join(dir, PARENT));
    } catch (error) {
      this.#parents.delete(key);
      await this.#removal.remove(dir).catch(() => undefined);
      throw writeFailed(`make the file system of ${key}`, error);
    }
  }

  /** Idempotent; the bytes are freed later. */
  async remove(key: string): Promise<void> {
    if (!this.#parents.has(key)) return;
    await this.#removal.remove(join(this.#dir, key));
    this.#parents.delete(key);
    this.#kept.delete(key);
  }

  async #load(key: string): Promise<void> {
    const parent = await readParent(join(this.#dir, key, PARENT));
    if (parent === 'unfinished') await this.#removal.remove(join(this.#dir, key));
    else {
      this.#parents.set(key, parent);
      const kept = await readKept(join(this.#dir, key, KEPT));
      if (kept !== undefined) this.#kept.set(key, kept);
    }
  }
}

async function makeLike(model: string, dir: string): Promise<void> {
  const [stats] = await Promise.all([stat(model), mkdir(dir)]);
  // Not left to mkdir: the umask would take bits away.
  await chmod(dir, stats.mode & 0o7777);
  if (stats.uid !== 0 || stats.gid !== 0) await lchown(dir, stats.uid, stats.gid);
}

async function readKept(path: string): Promise<KeptId | undefined> {
  const text = await readlink(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  });
  const [, uid, gid] = /^(\d+):(\d+)$/.exec(text) ?? [];
  return uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

async function readParent(path: string): Promise<Digest | undefined | 'unfinished'> {
  try {
    const text = await readlink(path);
    return text === NO_PARENT ? undefined : (parseDigest(text) ?? 'unfinished');
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return 'unfinished';
    throw error;
  }
}
