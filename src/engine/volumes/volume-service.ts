/** Volumes of the driver `local`: a directory of the data root each. */
import type { VolumeBackend } from '../../api/backends.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Failpoints } from '../../shared/failpoints.ts';
import { type ContainerId, randomId } from '../../shared/ids.ts';
import { KeyedMutex } from '../../shared/keyed-mutex.ts';
import type { Collection } from '../../state/collection.ts';
import type { MountForm, PinPlace, VolumeFiles } from '../../storage/volume-files.ts';
import { assertKnownFilters, booleanFilter, type Filters } from '../../wire/filters.ts';
import type { EventBus } from '../events/event-bus.ts';
import { matchesLabels } from '../label-filter.ts';
import type { SharedPlaces } from '../shared-places.ts';
import type { VolumeDocument } from './volume-document.ts';
import {
  invalidVolumeName,
  noSuchVolume,
  unknownVolumeDriver,
  volumeInUse,
} from './volume-errors.ts';
import { checkVolumeOptions, volumeMount } from './volume-options.ts';

export interface VolumeDeps {
  readonly documents: Collection<VolumeDocument>;
  readonly files: VolumeFiles;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly failpoints: Failpoints;
  readonly sharedPlaces: SharedPlaces;
  /** Ids of the containers that have the volume among their mounts. */
  readonly usedBy: (name: string) => readonly ContainerId[];
  /** Ids of those whose processes have it mounted, or are about to. */
  readonly heldBy: (name: string) => readonly ContainerId[];
}

/** One container's use of a volume. */
export interface VolumeUse {
  readonly name: string;
  readonly containerId: ContainerId;
  /** Path within the volume; empty for all of it. */
  readonly subpath: string;
  /** Tells the container's pinned paths apart. */
  readonly place: string;
}

type CreateRequest = Parameters<VolumeBackend['create']>[0] & {
  /** The container that an anonymous volume is made for, which does not exist yet. */
  readonly madeFor?: ContainerId;
};

/** Docker's rule (`RestrictedNamePattern`). */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const LIST_FILTERS = ['dangling', 'driver', 'label', 'name'];
const PRUNE_FILTERS = ['all', 'label', 'label!'];
/** Marks volumes that were made for one container (Engine API 1.42). */
const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';

export class VolumeService implements VolumeBackend {
  readonly #deps: VolumeDeps;
  readonly #locks = new KeyedMutex<string>();

  constructor(deps: VolumeDeps) {
    this.#deps = deps;
  }

  /** Finishes what a crash interrupted between a volume's document and its directory. */
  async recover(): Promise<void> {
    for (const { name } of this.#all()) await this.#deps.files.make(name);
  }

  mountpoint(name: string): string {
    return this.#deps.files.mountpoint(name);
  }

  async list(filters: Filters): Promise<readonly VolumeDocument[]> {
    assertKnownFilters(filters, LIST_FILTERS);
    const dangling = booleanFilter(filters, 'dangling');
    const names = filters.get('name') ?? [];
    const drivers = filters.get('driver') ?? [];
    return this.#all().filter(
      (volume) =>
        (dangling === undefined || dangling === !this.#isUsed(volume.name)) &&
        (names.length === 0 || names.some((name) => volume.name.includes(name))) &&
        (drivers.length === 0 || drivers.includes(volume.driver)) &&
        matchesLabels(volume.labels, filters),
    );
  }

  /** Idempotent: a volume that exists is answered as it is. */
  create(request: CreateRequest): Promise<VolumeDocument> {
    const name = request.name || randomId();
    checkRequest(name, request, this.#deps.sharedPlaces);
    return this.#locks.run(name, async () => {
      const existing = this.#deps.documents.get(name);
      return existing === undefined ? await this.#make(name, request) : existing.value;
    });
  }

  /** The name of an existing or a new volume, for a container's mount. */
  async ensure(request: CreateRequest): Promise<string> {
    return (await this.create(request)).name;
  }

  async inspect(name: string): Promise<VolumeDocument> {
    const document = this.#deps.documents.get(name);
    if (document === undefined) throw noSuchVolume(name);
    return document.value;
  }

  /** `conflict` while a container has it; a missing one is `not-found` unless forced. */
  remove(name: string, options: { force: boolean }): Promise<void> {
    return this.#locks.run(name, async () => {
      if (this.#deps.documents.get(name) === undefined) {
        if (options.force) return;
        throw noSuchVolume(name);
      }
      const users = this.#deps.usedBy(name);
      if (users.length > 0) throw volumeInUse(name, users);
      await this.#remove(name);
    });
  }

  /** Volumes that were made for a container whose creation nobody has finished. */
  unfinished(): readonly VolumeDocument[] {
    return this.#all().filter(({ madeFor }) => madeFor !== undefined);
  }

  /** The container that the volumes were made for exists: they are nobody's leftovers any more. Idempotent. */
  async keep(names: readonly string[]): Promise<void> {
    for (const name of names) {
      await this.#deps.documents.get(name)?.update((volume) => {
        const { madeFor, ...kept } = volume;
        return madeFor === undefined ? volume : kept;
      }, 'ordered');
    }
  }

  /**
   * Removes a volume that nobody needs; one that a container other than `owner` has, or that is gone already, is
   * left alone.
   */
  removeUnused(name: string, owner?: ContainerId): Promise<void> {
    return this.#locks.run(name, async () => {
      if (this.#deps.documents.get(name) === undefined) return;
      if (this.#deps.usedBy(name).some((id) => id !== owner)) return;
      await this.#remove(name);
    });
  }

  /**
   * Makes a volume ready for a container: mounts what its options name, unless that is mounted already, and pins
   * the path within it. Idempotent. Returns the absolute host path to bind; `not-found` for a volume that is gone.
   */
  attach(use: VolumeUse): Promise<string> {
    return this.#locks.run(use.name, async () => {
      const { files } = this.#deps;
      const wanted = volumeMount((await this.inspect(use.name)).options);
      if (wanted !== undefined) await files.mount(use.name, wanted);
      if (use.subpath === '') return files.mountpoint(use.name);
      const at = { key: use.containerId, place: use.place };
      return await files.pin(files.mountpoint(use.name), use.subpath, at);
    });
  }

  /** Binds a path inside of `root` where symlinks cannot lead it out. Only `detach` takes it away. */
  pin(root: string, subpath: string, at: PinPlace): Promise<string> {
    return this.#deps.files.pin(root, subpath, at);
  }

  /** A host path where `source` has another form. Only `detach` takes it away. */
  reform(source: string, form: MountForm, at: PinPlace): Promise<string> {
    return this.#deps.files.reform(source, form, at);
  }

  /** Keeps a namespace that a link of `/proc` names. Only `detach` takes it away. */
  pinNamespace(path: string, at: PinPlace): Promise<string> {
    return this.#deps.files.pinNamespace(path, at);
  }

  /** Memory that several containers share. Only `detach` takes it away. */
  sharedMemory(sizeBytes: number, at: PinPlace): Promise<string> {
    return this.#deps.files.sharedMemory(sizeBytes, at);
  }

  /** Undoes every `attach` and `reform` of a container; what others still hold stays mounted. Idempotent. */
  async detach(containerId: ContainerId, names: readonly string[]): Promise<void> {
    await this.#deps.files.unpin(containerId);
    for (const name of names) {
      await this.#locks.run(name, async () => {
        const volume = this.#deps.documents.get(name)?.value;
        if (volume === undefined || isPlain(volume)) return;
        const others = this.#deps.heldBy(name).filter((id) => id !== containerId);
        if (others.length === 0) await this.#deps.files.unmount(name);
      });
    }
  }

  /** Anonymous volumes that no container has; named ones too with the filter `all`. Ones with options stay. */
  async prune(filters: Filters): Promise<{ deleted: readonly string[]; reclaimedBytes: number }> {
    assertKnownFilters(filters, PRUNE_FILTERS);
    const all = booleanFilter(filters, 'all') ?? false;
    const deleted: string[] = [];
    let reclaimedBytes = 0;
    for (const volume of this.#all()) {
      const chosen = (all || volume.anonymous) && matchesLabels(volume.labels, filters);
      if (!(chosen && isPlain(volume)) || this.#isUsed(volume.name)) continue;
      reclaimedBytes += await this.#deps.files.sizeBytes(volume.name);
      await this.remove(volume.name, { force: true });
      deleted.push(volume.name);
    }
    return { deleted, reclaimedBytes };
  }

  /** Every volume with data of its own, its size and the number of containers that have it, for `system df`. */
  async usage() {
    const plain = this.#all().filter(isPlain);
    return await Promise.all(
      plain.map(async (volume) => ({
        ...volume,
        sizeBytes: await this.#deps.files.sizeBytes(volume.name),
        refCount: this.#deps.usedBy(volume.name).length,
      })),
    );
  }

  async #make(name: string, request: CreateRequest): Promise<VolumeDocument> {
    const anonymous = !request.name;
    const volume: VolumeDocument = {
      v: 1,
      name,
      driver: 'local',
      createdAt: this.#deps.clock.nowIso(),
      labels: anonymous ? { ...request.labels, [ANONYMOUS_LABEL]: '' } : request.labels,
      options: request.options,
      anonymous,
      ...(anonymous && request.madeFor !== undefined ? { madeFor: request.madeFor } : {}),
    };
    await this.#deps.documents.create(name, volume);
    this.#deps.failpoints.hit('volume-create:after-document');
    try {
      await this.#deps.files.make(name);
      this.#deps.failpoints.hit('volume-create:after-files');
    } catch (error) {
      await this.#deps.documents.remove(name);
      throw error;
    }
    this.#publish('create', name);
    return volume;
  }

  /** What is mounted over the volume must be gone before its directory is deleted. */
  async #remove(name: string): Promise<void> {
    await this.#deps.files.unmount(name);
    this.#deps.failpoints.hit('volume-remove:after-unmount');
    await this.#deps.documents.remove(name);
    this.#deps.failpoints.hit('volume-remove:after-document');
    this.#publish('destroy', name);
  }

  #all(): readonly VolumeDocument[] {
    return this.#deps.documents.list().map((document) => document.value);
  }

  #isUsed(name: string): boolean {
    return this.#deps.usedBy(name).length > 0;
  }

  #publish(action: string, name: string): void {
    this.#deps.events.publish({
      type: 'volume',
      action,
      actorId: name,
      attributes: { driver: 'local' },
    });
  }
}

function checkRequest(name: string, request: CreateRequest, places: SharedPlaces): void {
  if (!NAME.test(name)) throw invalidVolumeName(name);
  const driver = request.driver || 'local';
  if (driver !== 'local') throw unknownVolumeDriver(name, driver);
  checkVolumeOptions(name, request.options, places);
}

/** Volumes with options show what is somewhere else: it is not theirs to count or to prune. */
function isPlain(volume: VolumeDocument): boolean {
  return Object.keys(volume.options).length === 0;
}
