/** `docker info`, `docker events` and `docker system df`. */
import type {
  ContainerView,
  EventsOptions,
  ListContainersOptions,
  SystemBackend,
} from '../../api/backends.ts';
import { NO_FILTERS } from '../../wire/filters.ts';
import type { RegistryCredentials } from '../../wire/registry-auth.ts';
import type { ContainerRegistry } from '../containers/container-registry.ts';
import { isRunning } from '../containers/container-status.ts';
import type { EngineEvent } from '../events/engine-event.ts';
import type { EventBus } from '../events/event-bus.ts';
import { eventPredicate } from '../events/event-filter.ts';
import type { ImageView } from '../images/image-view.ts';
import type { VolumeService } from '../volumes/volume-service.ts';
import type { SystemInfo } from './system-info.ts';

/** What does not change while the engine runs. */
export type SystemFacts = Omit<SystemInfo, 'containers' | 'images' | 'usage' | 'devices'>;

export interface SystemDeps {
  readonly facts: SystemFacts;
  readonly registry: ContainerRegistry;
  readonly events: EventBus;
  /** Names of devices that containers can ask for. */
  readonly devices: () => Promise<readonly string[]>;
  readonly listImages: (options: { sharedSize: boolean }) => Promise<readonly ImageView[]>;
  readonly listContainers: (options: ListContainersOptions) => Promise<readonly ContainerView[]>;
  readonly volumes: Pick<VolumeService, 'usage'>;
  /** Bytes of all committed layers, each counted once. */
  readonly layersBytes: () => Promise<number>;
  /** Open descriptors of this process. */
  readonly openFiles: () => number;
  readonly login: (credentials: RegistryCredentials) => Promise<{
    status: string;
    identityToken: string;
  }>;
}

export class SystemService implements SystemBackend {
  readonly #deps: SystemDeps;

  constructor(deps: SystemDeps) {
    this.#deps = deps;
  }

  async info(): Promise<SystemInfo> {
    const statuses = this.#deps.registry.all().map((document) => document.status);
    const running = statuses.filter(isRunning).length;
    const paused = statuses.filter((status) => status.state === 'paused').length;
    return {
      ...this.#deps.facts,
      containers: { running, paused, stopped: statuses.length - running - paused },
      devices: await this.#deps.devices(),
      images: (await this.#deps.listImages({ sharedSize: false })).length,
      usage: {
        openFiles: this.#deps.openFiles(),
        eventListeners: this.#deps.events.listenerCount,
      },
    };
  }

  events(options: EventsOptions, signal: AbortSignal): AsyncIterable<EngineEvent> {
    const accept = eventPredicate(options.filters);
    const sinceNano = toNano(options.sinceSeconds);
    const untilNano = toNano(options.untilSeconds);
    return this.#deps.events.stream({ sinceNano, untilNano, accept }, signal);
  }

  async diskUsage() {
    const everything = { all: true, limit: undefined, size: true, filters: NO_FILTERS };
    return {
      images: await this.#deps.listImages({ sharedSize: true }),
      containers: await this.#deps.listContainers(everything),
      volumes: await this.#deps.volumes.usage(),
      layersBytes: await this.#deps.layersBytes(),
    };
  }

  login(credentials: RegistryCredentials) {
    return this.#deps.login(credentials);
  }
}

function toNano(seconds: number | undefined): bigint | undefined {
  return seconds === undefined ? undefined : BigInt(Math.round(seconds * 1e6)) * 1_000n;
}
