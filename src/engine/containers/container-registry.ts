/** The containers that exist: their documents, the index of names, and the resolver of references. */

import { kindOf } from '../../shared/errors.ts';
import type { ContainerId } from '../../shared/ids.ts';
import type { Collection } from '../../state/collection.ts';
import type { Durability } from '../../state/document.ts';
import type { ContainerDocument, ContainerStatus } from './container-document.ts';
import { ambiguousContainer, nameInUse, noSuchContainer } from './container-errors.ts';
import { liveStatus } from './container-status.ts';

const ID_PREFIX = /^[0-9a-f]{1,64}$/;

export class ContainerRegistry {
  readonly #documents: Collection<ContainerDocument>;
  readonly #idByName = new Map<string, ContainerId>();

  constructor(documents: Collection<ContainerDocument>) {
    this.#documents = documents;
    for (const { value } of documents.list()) this.#idByName.set(value.name, value.id);
  }

  /** As `resolve`; undefined when there is none. */
  tryResolve(ref: string): ContainerDocument | undefined {
    try {
      return this.resolve(ref);
    } catch (error) {
      if (kindOf(error) === 'not-found') return undefined;
      throw error;
    }
  }

  /** The container that a name, a full id or a unique prefix means. */
  resolve(ref: string): ContainerDocument {
    const name = ref.startsWith('/') ? ref.slice(1) : ref;
    const exact = this.#documents.get(name);
    if (exact !== undefined) return exact.value;
    const named = this.#idByName.get(name) ?? this.#linked(name);
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

  /** Ids of the containers whose documents could not be read. */
  damagedIds(): readonly string[] {
    return this.#documents.quarantined().map(({ key }) => key);
  }

  /** Ids of the containers that have the volume among their mounts. */
  usersOfVolume(name: string): readonly ContainerId[] {
    return this.all()
      .filter(({ mounts }) =>
        mounts.some((mount) => mount.type === 'volume' && mount.name === name),
      )
      .map(({ id }) => id);
  }

  /** Containers made from an image, or that have it mounted, by the digest of its config. */
  usersOfImage(imageId: string) {
    return this.all()
      .filter(
        (document) =>
          document.imageId === imageId ||
          document.mounts.some((mount) => mount.imageId === imageId),
      )
      .map(({ id, name, status }) => ({ id, name, running: liveStatus(status) !== undefined }));
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

  /** Stores a new document. The name must be reserved. A container that removes itself is never worth a sync. */
  async add(document: ContainerDocument): Promise<void> {
    const durability = document.hostConfig.AutoRemove === true ? 'ordered' : 'synced';
    await this.#documents.create(document.id, document, durability);
  }

  /**
   * Stores a change of status and returns the document. It survives the death of the engine at any moment. A
   * power cut may take it back, whole: no process survives that either, so recovery finds the same truth.
   */
  transition(id: ContainerId, status: ContainerStatus): Promise<ContainerDocument> {
    return this.#change(id, (document) => ({ ...document, status }), 'ordered');
  }

  /** Stores a change of status together with what belongs to it; as lasting as `transition`. */
  amend(
    id: ContainerId,
    change: (document: ContainerDocument) => ContainerDocument,
  ): Promise<ContainerDocument> {
    return this.#change(id, change, 'ordered');
  }

  /**
   * Like `amend`, for what has happened whether the disk takes it or not: on a full disk it is only `remembered`
   * until the next change. The runtime's own files must then stay, so that a crash does not lose it.
   */
  async record(
    id: ContainerId,
    change: (document: ContainerDocument) => ContainerDocument,
  ): Promise<'stored' | 'remembered'> {
    try {
      await this.amend(id, change);
      return 'stored';
    } catch (error) {
      const document = this.#documents.get(id);
      if (kindOf(error) !== 'unavailable' || document === undefined) throw error;
      await document.remember(change);
      return 'remembered';
    }
  }

  /** Stores a change of anything else, on disk when this resolves, and returns the document. */
  update(
    id: ContainerId,
    change: (document: ContainerDocument) => ContainerDocument,
  ): Promise<ContainerDocument> {
    return this.#change(id, change, 'synced');
  }

  /** Whom a name of the form `parent/alias` means. */
  #linked(name: string): ContainerId | undefined {
    const [parent = '', alias, ...more] = name.split('/');
    const id = this.#idByName.get(parent);
    if (id === undefined || alias === undefined || more.length > 0) return undefined;
    return this.tryGet(id)?.links?.find((link) => link.alias === alias)?.id;
  }

  /** Removes the document with everything in its directory and frees the name. */
  async remove(id: ContainerId): Promise<void> {
    const document = this.tryGet(id);
    await this.#documents.remove(id, 'ordered');
    if (document !== undefined) this.releaseName(document.name, id);
  }

  async #change(
    id: ContainerId,
    change: (document: ContainerDocument) => ContainerDocument,
    durability: Durability,
  ): Promise<ContainerDocument> {
    const document = this.#documents.get(id);
    if (document === undefined) throw noSuchContainer(id);
    return await document.update(change, durability);
  }
}
