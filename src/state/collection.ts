/** A directory of documents of one noun, all of them in memory as well. */
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EngineError, messageOf, systemCode } from '../shared/errors.ts';
import { type Durability, isTemporaryName, renameDurably, syncDir } from '../sys/fs/durable.ts';
import { ensurePrivateDir } from '../sys/fs/private-dir.ts';
import { Document } from './document.ts';
import { type DocumentFormat, DurableJsonFile } from './durable-json-file.ts';
import { type QuarantinedDocument, quarantine } from './quarantine.ts';
import { documentExists, invalidKey } from './state-errors.ts';

/** Where the documents live and how they are read. */
export interface CollectionOptions<T extends object> extends DocumentFormat<T> {
  /** Directory of the collection; made (0700) when missing. */
  readonly dir: string;
  /**
   * Given: each key has a directory of its own with the document in this file, e.g. `container.json`; the
   * directory may hold other files and goes with the document. Absent: the document is `<key>.json`.
   */
  readonly documentName?: string;
  /** Where unreadable documents are put. Default: `corrupt` beside `dir`. */
  readonly corruptDir?: string;
  /** Hears of every document that could not be read when the collection was opened. */
  readonly onQuarantined?: (document: QuarantinedDocument) => void;
}

const SAFE_KEY = /^[A-Za-z0-9][A-Za-z0-9_.:@-]{0,200}$/;
/** Documents read side by side at start. */
const READ_AT_ONCE = 64;
const REMOVING_PREFIX = '.removing-';

/** The only writer of its directory. All methods answer from memory; only changes touch the disk. */
export class Collection<T extends object> {
  readonly #options: CollectionOptions<T>;
  readonly #documents = new Map<string, Document<T>>();
  readonly #creating = new Set<string>();
  readonly #quarantined: QuarantinedDocument[] = [];

  private constructor(options: CollectionOptions<T>) {
    this.#options = options;
  }

  /**
   * Reads all documents and finishes what a crash interrupted: half-written files and half-removed documents go.
   * A document that cannot be understood is put in quarantine and reported by `quarantined`. `unavailable`, with
   * nothing touched, when one was written by a newer program.
   */
  static async open<Value extends object>(
    options: CollectionOptions<Value>,
  ): Promise<Collection<Value>> {
    const collection = new Collection(options);
    await ensurePrivateDir(options.dir);
    const names = await readdir(options.dir);
    const outcomes = await collection.#readAll(names);
    for (const outcome of outcomes) if ('refusal' in outcome) throw outcome.refusal;
    for (const outcome of outcomes) await collection.#admit(outcome);
    await collection.#removeLeftovers(names);
    for (const bad of collection.#quarantined) options.onQuarantined?.(bad);
    return collection;
  }

  /** The document of `key`, if it exists. */
  get(key: string): Document<T> | undefined {
    return this.#documents.get(key);
  }

  /** All documents, in no particular order. */
  list(): readonly Document<T>[] {
    return [...this.#documents.values()];
  }

  /** All keys, in no particular order. */
  keys(): readonly string[] {
    return [...this.#documents.keys()];
  }

  /** Documents that could not be read when the collection was opened. */
  quarantined(): readonly QuarantinedDocument[] {
    return this.#quarantined;
  }

  /** The directory (or the file, without `documentName`) that belongs to `key`. */
  pathOf(key: string): string {
    const { dir, documentName } = this.#options;
    return join(dir, documentName === undefined ? `${key}.json` : key);
  }

  /**
   * Stores a new document durably; it is visible when this resolves. `conflict` when the key is taken,
   * `invalid-argument` when it cannot be a file name. On failure nothing remains.
   */
  async create(key: string, value: T, durability: Durability = 'synced'): Promise<Document<T>> {
    if (!SAFE_KEY.test(key)) throw invalidKey(key);
    const path = this.#fileOf(key);
    if (this.#documents.has(key) || this.#creating.has(key)) throw documentExists(path);
    this.#creating.add(key);
    try {
      const file = new DurableJsonFile(path, this.#options);
      await this.#writeFirst(file, value, durability);
      const document = new Document(path, file, value);
      this.#documents.set(key, document);
      return document;
    } finally {
      this.#creating.delete(key);
    }
  }

  /**
   * Removes the document and, with `documentName`, everything in its directory; a crash half-way is finished by
   * the next `open`. With `ordered` a power cut may bring the whole back. Idempotent.
   */
  async remove(key: string, durability: Durability = 'synced'): Promise<void> {
    const document = this.#documents.get(key);
    if (document === undefined) return;
    const path = this.pathOf(key);
    const aside = join(this.#options.dir, `${REMOVING_PREFIX}${basename(path)}`);
    await document.retire(async () => {
      await rm(aside, { recursive: true, force: true });
      await renameDurably(path, aside, durability);
      this.#documents.delete(key);
    });
    await rm(aside, { recursive: true, force: true });
  }

  async #writeFirst(file: DurableJsonFile<T>, value: T, durability: Durability): Promise<void> {
    if (await fileExists(file.path)) throw documentExists(file.path);
    if (this.#options.documentName === undefined) return await file.write(value, durability);
    const keyDir = dirname(file.path);
    const made = await mkdir(keyDir, { recursive: true, mode: 0o700 });
    try {
      await file.write(value, durability);
      if (made !== undefined && durability === 'synced') await syncDir(this.#options.dir);
    } catch (error) {
      if (made !== undefined) await rm(keyDir, { recursive: true, force: true });
      throw error;
    }
  }

  #fileOf(key: string): string {
    const { documentName } = this.#options;
    return documentName === undefined ? this.pathOf(key) : join(this.pathOf(key), documentName);
  }

  /** Reads what the directory entries stand for, a few at a time: descriptors are limited. */
  async #readAll(names: readonly string[]): Promise<readonly Loaded<T>[]> {
    const keys = names.flatMap((name) => this.#keyOf(name));
    const loaded: Loaded<T>[] = [];
    for (let start = 0; start < keys.length; start += READ_AT_ONCE) {
      const batch = keys.slice(start, start + READ_AT_ONCE);
      loaded.push(...(await Promise.all(batch.map((key) => this.#read(key)))));
    }
    return loaded;
  }

  /** Zero or one key for a directory entry. */
  #keyOf(name: string): string[] {
    if (name.startsWith('.')) return [];
    if (this.#options.documentName !== undefined) return [name];
    return name.endsWith('.json') ? [name.slice(0, -'.json'.length)] : [];
  }

  async #read(key: string): Promise<Loaded<T>> {
    const file = new DurableJsonFile(this.#fileOf(key), this.#options);
    try {
      const value = await file.read();
      return value === null ? { key, missing: file.path } : { key, file, value };
    } catch (error) {
      const corrupt = error instanceof EngineError && error.kind === 'corrupt';
      return corrupt
        ? { key, unreadable: file.path, reason: messageOf(error) }
        : { refusal: error };
    }
  }

  async #admit(loaded: Loaded<T>): Promise<void> {
    if ('refusal' in loaded) return;
    if ('value' in loaded) {
      this.#documents.set(loaded.key, new Document(loaded.file.path, loaded.file, loaded.value));
    } else if ('unreadable' in loaded) {
      await this.#putAside(loaded);
    } else {
      await this.#judgeUndocumented(loaded.key);
    }
  }

  async #putAside(bad: Unreadable): Promise<void> {
    const { dir, corruptDir = join(dirname(dir), 'corrupt') } = this.#options;
    const label = `${basename(dir)}-${bad.key}`;
    const { key, reason, unreadable: path } = bad;
    const movedTo = await quarantine({ path, label, reason }, corruptDir);
    this.#quarantined.push({ key, path, reason, movedTo });
  }

  /** A directory without a document: debris of an interrupted `create` when empty, reported otherwise. */
  async #judgeUndocumented(key: string): Promise<void> {
    const dir = this.pathOf(key);
    const names = await namesIn(dir);
    if (names === undefined) return;
    if (names.every(isTemporaryName)) return await rm(dir, { recursive: true, force: true });
    const path = this.#fileOf(key);
    this.#quarantined.push({ key, path, reason: 'it is missing' });
  }

  async #removeLeftovers(names: readonly string[]): Promise<void> {
    const { dir, documentName } = this.#options;
    const leftovers = names.filter(
      (name) => isTemporaryName(name) || name.startsWith(REMOVING_PREFIX),
    );
    for (const name of leftovers) await rm(join(dir, name), { recursive: true, force: true });
    if (documentName === undefined) return;
    for (const key of this.#documents.keys()) {
      const inside = (await namesIn(this.pathOf(key))) ?? [];
      for (const name of inside.filter(isTemporaryName)) await rm(join(this.pathOf(key), name));
    }
  }
}

interface Unreadable {
  readonly key: string;
  readonly unreadable: string;
  readonly reason: string;
}

type Loaded<T extends object> =
  | { readonly key: string; readonly file: DurableJsonFile<T>; readonly value: T }
  | { readonly key: string; readonly missing: string }
  | Unreadable
  | { readonly refusal: unknown };

/** Names in a directory; undefined when it is not a directory. */
async function namesIn(dir: string): Promise<readonly string[] | undefined> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR' || systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function fileExists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
