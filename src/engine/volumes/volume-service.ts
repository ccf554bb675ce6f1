/** Volumes of the driver `local`: a directory of the data root each. */
import type { VolumeBackend } from '../../api/backends.ts';
import type { Clock } from '../../shared/clock.ts';
import { randomId } from '../../shared/ids.ts';
import { KeyedMutex } from '../../shared/keyed-mutex.ts';
import type { Collection } from '../../state/collection.ts';
import type { VolumeFiles } from '../../storage/volume-files.ts';
import { assertKnownFilters, booleanFilter, type Filters } from '../../wire/filters.ts';
import type { EventBus } from '../events/event-bus.ts';
import { matchesLabels } from '../label-filter.ts';
import type { VolumeDocument } from './volume-document.ts';
import {
  invalidVolumeName,
  invalidVolumeOption,
  noSuchVolume,
  unknownVolumeDriver,
  volumeInUse,
} from './volume-errors.ts';

export interface VolumeDeps {
  readonly documents: Collection<VolumeDocument>;
  readonly files: VolumeFiles;
  readonly events: EventBus;
  readonly clock: Clock;
  /** Ids of the containers that have the volume among their mounts. */
  readonly usedBy: (name: string) => readonly string[];
}

type CreateRequest = Parameters<VolumeBackend['create']>[0];

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
    checkRequest(name, request);
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
      await this.#deps.documents.remove(name);
      this.#publish('destroy', name);
    });
  }

  /** Anonymous volumes that no container has; named ones too with the filter `all`. */
  async prune(filters: Filters): Promise<{ deleted: readonly string[]; reclaimedBytes: number }> {
    assertKnownFilters(filters, PRUNE_FILTERS);
    const all = booleanFilter(filters, 'all') ?? false;
    const deleted: string[] = [];
    let reclaimedBytes = 0;
    for (const volume of this.#all()) {
      const chosen = (all || volume.anonymous) && matchesLabels(volume.labels, filters);
      if (!chosen || this.#isUsed(volume.name)) continue;
      reclaimedBytes += await this.#deps.files.sizeBytes(volume.name);
      await this.remove(volume.name, { force: true });
      deleted.push(volume.name);
    }
    return { deleted, reclaimedBytes };
  }

  /** Every volume with its size and the number of containers that have it, for `system df`. */
  async usage() {
    return await Promise.all(
      this.#all().map(async (volume) => ({
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
    };
    await this.#deps.documents.create(name, volume);
    try {
      await this.#deps.files.make(name);
    } catch (error) {
      await this.#deps.documents.remove(name);
      throw error;
    }
    this.#publish('create', name);
    return volume;
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

function checkRequest(name: string, request: CreateRequest): void {
  if (!NAME.test(name)) throw invalidVolumeName(name);
  const driver = request.driver || 'local';
  if (driver !== 'local') throw unknownVolumeDriver(name, driver);
  const [option] = Object.keys(request.options);
  if (option !== undefined) throw invalidVolumeOption(name, option);
}
