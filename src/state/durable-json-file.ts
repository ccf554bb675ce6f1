/** A lowdb adapter that keeps one JSON document in one file, crash-safe, and decodes what it reads. */
import { readFile } from 'node:fs/promises';
import type { Adapter } from 'lowdb';
import { messageOf, systemCode } from '../shared/errors.ts';
import { type Durability, writeFileDurably } from '../sys/fs/durable.ts';
import { type MigrationPlan, migrate } from './migrations.ts';
import { undecodable } from './state-errors.ts';

/** Turns untrusted JSON into a document or throws an error that says what is wrong with it. */
export type Decode<T> = (raw: unknown) => T;

/** What a file of documents needs to be read. */
export interface DocumentFormat<T> {
  readonly decode: Decode<T>;
  /** Absent for documents that have had one version only. */
  readonly migrations?: MigrationPlan;
}

/** lowdb's adapter, with a say in how durable a write is. */
export interface DocumentStore<T> extends Adapter<T> {
  write: (document: T, durability?: Durability) => Promise<void>;
}

/** lowdb's adapter with durable writes (lowdb's own neither syncs nor validates). */
export class DurableJsonFile<T> implements DocumentStore<T> {
  readonly path: string;
  readonly #format: DocumentFormat<T>;

  constructor(path: string, format: DocumentFormat<T>) {
    this.path = path;
    this.#format = format;
  }

  /**
   * The decoded document, null when there is no file. `corrupt` when it cannot be understood, `unavailable`
   * when a newer program wrote it.
   */
  async read(): Promise<T | null> {
    const text = await this.#readText();
    if (text === undefined) return null;
    const raw = this.#parse(text);
    const { decode, migrations } = this.#format;
    const upToDate = migrations === undefined ? raw : migrate(raw, migrations, this.path);
    try {
      return decode(upToDate);
    } catch (error) {
      throw undecodable(this.path, messageOf(error), error);
    }
  }

  /** Stored when it resolves, as durably as asked (default `synced`); on failure the file is as before. */
  async write(document: T, durability: Durability = 'synced'): Promise<void> {
    await writeFileDurably(this.path, `${JSON.stringify(document, null, 1)}\n`, { durability });
  }

  async #readText(): Promise<string | undefined> {
    try {
      return await readFile(this.path, 'utf8');
    } catch (error) {
      const code = systemCode(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw error;
    }
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw undecodable(this.path, text.trim() === '' ? 'empty file' : messageOf(error), error);
    }
  }
}
