/** The containers that exist: their documents, the index of names, and the resolver of references. */

import type { ContainerId } from '../../shared/ids.ts';
import type { Collection } from '../../state/collection.ts';
import type { ContainerDocument } from './container-document.ts';
import { ambiguousContainer, nameInUse, noSuchContainer } from './container-errors.ts';

const ID_PREFIX = /^[0-9a-f]{1,64}$/;

export class ContainerRegistry {
  readonly #documents: Collection<ContainerDocument>;
  readonly #idByName = new Map<string, ContainerId>();

  constructor(documents: Collection<ContainerDocument>) {
    this.#documents = documents;
    for (const { value } of documents.list()) this.#idByName.set(value.name, value.id);
  }

  /** The container that a name, a full id or a unique prefix means. */
  resolve(ref: string): ContainerDocument {
    const name = ref.startsWith('/') ? ref.slice(1) : ref;
    const exact = this.#documents.get(name);
    if (exact !== undefined) return exact.value;
    const named = this.#idByName.get(name);
    if (named !== undefined) return this.get(named);
    if (!ID_PREFIX.test(name)) throw noSuchContainer(ref);
    const matches = this.all().filter((document) => document.id.startsWith(name));
    if (matches.length > 1) throw ambiguousContainer(ref);
    const [match] = matches;
    if (match === undefined) throw noSuchContainer(ref);
    return match;
  }

  /** The last committed document; `not-found` when the container has gone. */
  get(id: ContainerId): ContainerDocument {
    const document = this.#documents.get(id);
    if (document === undefined) throw noSuchContainer(id);
    return document.value;
  }

  tryGet(id: ContainerId): ContainerDocument | undefined {
    return this.#documents.get(id)?.value;
  }

  all(): readonly ContainerDocument[] {
    return this.#documents.list().map((document) => document.value);
  }

  isNameTaken(name: string): boolean {
    return this.#idByName.has(name);
  }

  /** Takes a name before anything durable happens; `conflict` when another container has it. */
  reserveName(name: string, id: ContainerId): void {
    const owner = this.#idByName.get(name);
    if (owner !== undefined && owner !== id) throw nameInUse(name, owner);
    this.#idByName.set(name, id);
  }

  releaseName(name: string, id: ContainerId): void {
    if (this.#idByName.get(name) === id) this.#idByName.delete(name);
  }

  /** Stores a new document durably. The name must be reserved. */
  async add(document: ContainerDocument): Promise<void> {
    await this.#documents.create(document.id, document);
  }

  /** Stores a changed document durably and returns it. */
  async update(
    id: ContainerId,
    change: (document: ContainerDocument) => ContainerDocument,
  ): Promise<ContainerDocument> {
    const document = this.#documents.get(id);
    if (document === undefined) throw noSuchContainer(id);
    return await document.update(change);
  }

  /** Removes the document with everything in its directory and frees the name. */
  async remove(id: ContainerId): Promise<void> {
    const document = this.tryGet(id);
    await this.#documents.remove(id);
    if (document !== undefined) this.releaseName(document.name, id);
  }
}
