/** Docker's log file of a container, and the older ones beside it: `….log`, `….log.1`, `….log.2.gz`. */
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { LogPolicy } from '../log-keeper.ts';
import { compressFile } from './compress-file.ts';

/** Appends, and rotates by size. */
export class MirrorFile {
  readonly #path: string;
  readonly #policy: LogPolicy;
  #file: FileHandle;
  #size: number;

  private constructor(place: { path: string; policy: LogPolicy }, file: FileHandle, size: number) {
    this.#path = place.path;
    this.#policy = place.policy;
    this.#file = file;
    this.#size = size;
  }

  /**
   * Opens the file and cuts off what is beyond `recordedBytes`: a crash came between writing that and recording it.
   * A file that is smaller (somebody emptied it, or it was rotated just before the crash) stays as it is.
   */
  static async open(path: string, policy: LogPolicy, recordedBytes: number): Promise<MirrorFile> {
    const file = await open(path, 'a', 0o600);
    const { size } = await file.stat();
    if (size > recordedBytes) await file.truncate(recordedBytes);
    return new MirrorFile({ path, policy }, file, Math.min(size, recordedBytes));
  }

  get size(): number {
    return this.#size;
  }

  /** True when the next line goes into a new file. */
  get isFull(): boolean {
    return this.#policy.maxBytes !== undefined && this.#size >= this.#policy.maxBytes;
  }

  async append(bytes: Buffer): Promise<void> {
    await this.#file.appendFile(bytes);
    this.#size += bytes.length;
  }

  /** Makes this file the newest of the older ones. Whoever calls has recorded its size. */
  async rotate(): Promise<void> {
    const { maxFiles, compresses } = this.#policy;
    if (maxFiles === 1) {
      await this.#file.truncate(0);
      this.#size = 0;
      return;
    }
    await this.#file.close();
    await this.#moveUp();
    await rename(this.#path, `${this.#path}.1`);
    if (compresses) await compressFile(`${this.#path}.1`);
    this.#file = await open(this.#path, 'a', 0o600);
    this.#size = 0;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** Makes each older file one older, and removes those that are then too many. Looks at what is there only. */
  async #moveUp(): Promise<void> {
    const prefix = `${basename(this.#path)}.`;
    const older = (await readdir(dirname(this.#path))).flatMap((name) => {
      const [, age, end = ''] = /^([1-9]\d*)(\.gz)?$/.exec(name.slice(prefix.length)) ?? [];
      return name.startsWith(prefix) && age !== undefined ? [{ age: Number(age), end }] : [];
    });
    for (const { age, end } of older.sort((a, b) => b.age - a.age)) {
      const path = `${this.#path}.${age}${end}`;
      if (age >= this.#policy.maxFiles - 1) await rm(path, { force: true });
      else await rename(path, `${this.#path}.${age + 1}${end}`);
    }
  }
}
