/** A whole engine in memory, as far as the API can tell. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  AttachSession,
  ExecBackend,
  SystemBackend,
  VolumeBackend,
} from '../../src/api/backends.ts';
import type { NetworkBackend } from '../../src/api/network-backend.ts';
import type { BuildkitDoor } from '../../src/builder/buildkit/buildkit-door.ts';
import type { CacheBackend, CachePrune } from '../../src/engine/cache/cache-prune.ts';
import type { EngineEvent } from '../../src/engine/events/engine-event.ts';
import type { CreateExecRequest } from '../../src/engine/exec/create-exec-request.ts';
import type { ExecDocument } from '../../src/engine/exec/exec-document.ts';
import type { SystemInfo } from '../../src/engine/system/system-info.ts';
import type { VolumeDocument } from '../../src/engine/volumes/volume-document.ts';
import { EngineError } from '../../src/shared/errors.ts';
import { newExecId, newNetworkId, randomId } from '../../src/shared/ids.ts';
import type { CacheEntry } from '../../src/storage/cache-source.ts';
import { assertKnownFilters } from '../../src/wire/filters.ts';
import { fakeBuildDoor } from './fake-build-door.ts';
import { FakeBuilds } from './fake-builds.ts';
import { FakeContainerFiles } from './fake-container-files.ts';
import { FAKE_TIME, FakeContainers } from './fake-containers.ts';
import { FakeImages } from './fake-images.ts';
import { FakeProcess } from './fake-process.ts';
import { FAKE_INFO } from './fake-system-info.ts';

class FakeExec implements ExecBackend {
  readonly #containers: FakeContainers;
  readonly #sessions = new Map<string, { document: ExecDocument; process: FakeProcess }>();

  constructor(containers: FakeContainers) {
    this.#containers = containers;
  }

  async create(containerRef: string, request: CreateExecRequest): Promise<{ id: string }> {
    const { document } = this.#containers.find(containerRef);
    if (document.status.state !== 'running') {
      throw new EngineError('conflict', `container ${document.id} is not running`);
    }
    const id = newExecId();
    const exec = { id, containerId: document.id, request, status: { state: 'created' } } as const;
    this.#sessions.set(id, { document: exec, process: new FakeProcess(request.args) });
    return { id };
  }

  #find(id: string): { document: ExecDocument; process: FakeProcess } {
    const session = this.#sessions.get(id);
    if (session === undefined) throw new EngineError('not-found', `No such exec instance: ${id}`);
    return session;
  }

  checkStart(execId: string): void {
    this.#find(execId);
  }

  async start(execId: string): Promise<AttachSession> {
    const session = this.#find(execId);
    const { document, process } = session;
    if (document.request.args[0] === 'nonsense') {
      throw new EngineError('invalid-argument', 'exec: "nonsense": executable file not found');
    }
    const { output, close } = process.subscribe();
    void process.exit.then((exitCode) => {
      session.document = { ...document, status: { state: 'exited', exitCode } };
    });
    void process.run();
    return {
      tty: document.request.tty,
      output,
      ...(document.request.attachStdin ? { stdin: process.stdin } : {}),
      close: async () => close(),
    };
  }

  async startDetached(execId: string): Promise<void> {
    await this.#find(execId).process.run();
  }

  async resize(execId: string): Promise<void> {
    this.#find(execId);
  }

  async inspect(execId: string): Promise<ExecDocument> {
    return this.#find(execId).document;
  }
}

class FakeVolumes implements VolumeBackend {
  readonly #documents = new Map<string, VolumeDocument>();

  async list(): Promise<readonly VolumeDocument[]> {
    return [...this.#documents.values()];
  }

  async create(request: Parameters<VolumeBackend['create']>[0]): Promise<VolumeDocument> {
    const document: VolumeDocument = {
      v: 1,
      name: request.name ?? randomId(),
      driver: 'local',
      createdAt: FAKE_TIME,
      labels: request.labels,
      options: request.options,
      anonymous: request.name === undefined,
    };
    this.#documents.set(document.name, document);
    return document;
  }

  async inspect(name: string): Promise<VolumeDocument> {
    const document = this.#documents.get(name);
    if (document === undefined) throw new EngineError('not-found', `get ${name}: no such volume`);
    return document;
  }

  async remove(name: string, { force }: { force: boolean }): Promise<void> {
    if (!force) await this.inspect(name);
    this.#documents.delete(name);
  }

  async prune() {
    return { deleted: [], reclaimedBytes: 0 };
  }

  mountpoint(name: string): string {
    return `/volumes/${name}/_data`;
  }
}

class FakeNetworks implements NetworkBackend {
  readonly #bridge = {
    record: {
      id: newNetworkId(),
      name: 'bridge',
      driver: 'bridge',
      createdAt: FAKE_TIME,
      subnet: '172.17.0.0/16',
      gateway: '172.17.0.1',
      options: {},
    },
    members: [],
  } as const;

  async list() {
    return [this.#bridge];
  }

  async inspect(ref: string) {
    if (ref === 'bridge') return this.#bridge;
    throw new EngineError('not-found', `network ${ref} not found`);
  }

  async create() {
    return { id: this.#bridge.record.id, warnings: [] };
  }

  async remove(ref: string) {
    await this.inspect(ref);
  }

  async connect(ref: string) {
    await this.inspect(ref);
  }

  async disconnect(ref: string) {
    await this.inspect(ref);
  }

  async prune() {
    return [];
  }
}

class FakeSystem implements SystemBackend {
  /** Wakes the streams of `/events`. */
  readonly #listeners = new Set<(event: EngineEvent) => void>();

  get listenerCount(): number {
    return this.#listeners.size;
  }

  publish(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  async info(): Promise<SystemInfo> {
    return FAKE_INFO;
  }

  events(
    options: Parameters<SystemBackend['events']>[0],
    signal: AbortSignal,
  ): AsyncIterable<EngineEvent> {
    assertKnownFilters(options.filters, ['type', 'event', 'container', 'label']);
    return this.#stream(options.untilSeconds !== undefined, signal);
  }

  async *#stream(ended: boolean, signal: AbortSignal): AsyncGenerator<EngineEvent> {
    const queue: EngineEvent[] = [];
    let wake: () => void = () => undefined;
    const listener = (event: EngineEvent) => {
      queue.push(event);
      wake();
    };
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => wake());
    try {
      while (!ended && !signal.aborted) {
        yield* queue.splice(0);
        if (queue.length > 0 || signal.aborted) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      this.#listeners.delete(listener);
    }
  }

  async diskUsage() {
    return { images: [], containers: [], volumes: [], layersBytes: 7 };
  }

  async login({ username }: { username: string }) {
    if (username !== 'me') throw new EngineError('unauthorized', 'unauthorized: no');
    return { status: 'Login Succeeded', identityToken: '' };
  }
}

/** One entry, and what was asked to be pruned. */
export class FakeCaches implements CacheBackend {
  readonly prunes: CachePrune[] = [];

  async usage() {
    return [FAKE_CACHE_ENTRY];
  }

  async prune(request: CachePrune) {
    this.prunes.push(request);
    return { ids: ['gone'], reclaimedBytes: 5 };
  }
}

const FAKE_CACHE_ENTRY: CacheEntry = {
  ...{ id: 'kept', type: 'regular', description: 'a layer', sizeBytes: 3, parents: [] },
  ...{ createdMs: 0, lastUsedMs: 1000, usageCount: 2, inUse: false, shared: true },
};

/** Backends with handles for tests. */
export interface FakeBackends {
  readonly containers: FakeContainers;
  readonly containerFiles: FakeContainerFiles;
  readonly exec: FakeExec;
  readonly images: FakeImages;
  readonly volumes: FakeVolumes;
  readonly networks: FakeNetworks;
  readonly system: FakeSystem;
  readonly buildClients: BuildkitDoor;
  readonly caches: FakeCaches;
  readonly builds: FakeBuilds;
}

export function fakeBackends(): FakeBackends {
  const containers = new FakeContainers();
  return {
    containers,
    containerFiles: new FakeContainerFiles(containers),
    exec: new FakeExec(containers),
    images: new FakeImages(),
    volumes: new FakeVolumes(),
    networks: new FakeNetworks(),
    system: new FakeSystem(),
    buildClients: fakeBuildDoor(join(tmpdir(), `wherry-fake-builds-${process.pid}`)).door,
    caches: new FakeCaches(),
    builds: new FakeBuilds(),
  };
}
