/** Directories of `RUN --mount=type=cache`: they stay between builds. */
import { chmod, chown, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { digestHex, digestOf } from '../../oci/digest.ts';
import type { Clock } from '../../shared/clock.ts';
import { KeyedMutex } from '../../shared/keyed-mutex.ts';
import type { Collection } from '../../state/collection.ts';
import type { CacheDocument } from './cache-document.ts';

/** What is asked for. */
export interface CacheMountRequest {
  /** Mounts of the same name are the same directory. */
  readonly name: string;
  readonly sharing: 'shared' | 'private' | 'locked';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Puts something into a new directory. */
  fill?(dir: string): Promise<void>;
}

export interface HeldCacheMount {
  /** Absolute path. */
  readonly dir: string;
  release(): void;
}

export interface CacheMountDeps {
  readonly documents: Collection<CacheDocument>;
  /** `<id>` is the directory of a record. */
  readonly dir: string;
  readonly clock: Clock;
}

export class CacheMounts {
  readonly #deps: CacheMountDeps;
  readonly #locks = new KeyedMutex<string>();
  readonly #users = new Map<string, number>();
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(deps: CacheMountDeps) {
    this.#deps = deps;
  }

  /** True while a command has it mounted. */
  isInUse(id: string): boolean {
    return this.#users.has(id);
  }

  /** Waits for others where it is `locked`; a `private` one that is in use gets a directory of its own. */
  async hold(request: CacheMountRequest, signal: AbortSignal): Promise<HeldCacheMount> {
    const id = await this.#reserve(request, signal);
    try {
      const dir = join(this.#deps.dir, id);
      await this.#locks.run(id, async () => {
        if (this.#deps.documents.get(id) === undefined) await this.#make(id, dir, request);
        await this.#recordUse(id);
      });
      let isHeld = true;
      return {
        dir,
        release: () => {
          if (isHeld) this.#free(id);
          isHeld = false;
        },
      };
    } catch (error) {
      this.#free(id);
      throw error;
    }
  }

  async #reserve(request: CacheMountRequest, signal: AbortSignal): Promise<string> {
    const base = digestHex(digestOf(`cache mount ${request.name}`));
    if (request.sharing === 'locked') {
      while (this.#users.has(base)) await this.#freed(base, signal);
    }
    let id = base;
    if (request.sharing === 'private') {
      for (let n = 1; this.#users.has(id); n++) id = `${base}-${n}`;
    }
    this.#users.set(id, (this.#users.get(id) ?? 0) + 1);
    return id;
  }

  #freed(id: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      const waiting = this.#waiting.get(id) ?? [];
      this.#waiting.set(id, waiting);
      waiting.push(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  }

  #free(id: string): void {
    const count = (this.#users.get(id) ?? 1) - 1;
    if (count > 0) this.#users.set(id, count);
    else {
      this.#users.delete(id);
      const waiting = this.#waiting.get(id) ?? [];
      this.#waiting.delete(id);
      for (const wake of waiting) wake();
    }
  }

  /** A directory without a record is debris of a crash. */
  async #make(id: string, dir: string, request: CacheMountRequest): Promise<void> {
    await rm(dir, { recursive: true, force: true });
    await mkdir(dir, { recursive: true });
    await request.fill?.(dir);
    await chown(dir, request.uid, request.gid);
    await chmod(dir, request.mode);
    await this.#deps.documents.create(id, {
      v: 1,
      kind: 'exec.cachemount',
      description: `cached mount ${request.name}`,
      parents: [],
      directory: id,
      sizeBytes: 0,
      createdAt: this.#deps.clock.nowIso(),
      usageCount: 0,
    });
  }

  async #recordUse(id: string): Promise<void> {
    const lastUsedAt = this.#deps.clock.nowIso();
    await this.#deps.documents
      .get(id)
      ?.update((value) => ({ ...value, lastUsedAt, usageCount: value.usageCount + 1 }), 'ordered');
  }
}
