/** The images part of the engine with real storage in a temporary directory and a real registry client. */

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PullRequest, PushRequest } from '../../src/api/image-backend.ts';
import { TarArchiveReader } from '../../src/distribution/archive/tar-archive-reader.ts';
import { TarArchiveWriter } from '../../src/distribution/archive/tar-archive-writer.ts';
import { HttpDownloads } from '../../src/distribution/registry/http-downloads.ts';
import type { TransportOptions } from '../../src/distribution/registry/http-transport.ts';
import {
  OciRegistry,
  type OciRegistryOptions,
} from '../../src/distribution/registry/oci-registry.ts';
import type { EngineEvent } from '../../src/engine/events/engine-event.ts';
import type { ImageServiceOptions, ImageUser } from '../../src/engine/images/image-deps.ts';
import { decodeImageDocument } from '../../src/engine/images/image-document.ts';
import { ImageService } from '../../src/engine/images/image-service.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { NO_FAILPOINTS } from '../../src/shared/failpoints.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { Collection } from '../../src/state/collection.ts';
import { DiskContentStore } from '../../src/storage/content/disk-content-store.ts';
import { DiskSharedLayouts } from '../../src/storage/content/disk-shared-layouts.ts';
import { OciLayoutIndex } from '../../src/storage/content/oci-layout-index.ts';
import { SharedContentStore } from '../../src/storage/content/shared-content-store.ts';
import type { Disk } from '../../src/storage/snapshots/disk.ts';
import {
  type OpenedSnapshotter,
  openSnapshotter,
} from '../../src/storage/snapshots/open-snapshotter.ts';
import { TarUnpacker } from '../../src/storage/unpack/tar-unpacker.ts';
import { dataPaths } from '../../src/sys/paths.ts';
import type { ProgressMessage } from '../../src/wire/json-stream.ts';

export interface ImageEngineOptions {
  /** Directory to work in; a fresh one when absent. */
  readonly root?: string;
  readonly storageDriver?: string;
  readonly registry?: Partial<OciRegistryOptions>;
  /** This machine's when absent. */
  readonly disk?: Disk;
  /** Directories of additional image stores. */
  readonly sharedStores?: readonly string[];
  readonly caches?: ImageServiceOptions['caches'];
}

/** What a pull or load said, and how it ended. */
export interface Transcript {
  readonly lines: readonly ProgressMessage[];
  readonly error: unknown;
}

export class ImageEngine implements AsyncDisposable {
  readonly root: string;
  readonly images: ImageService;
  readonly snapshots: OpenedSnapshotter;
  readonly content: DiskContentStore;
  readonly events: Omit<EngineEvent, 'timeNano'>[];
  /** Containers by image id; tests put them in. */
  readonly users: Map<string, readonly ImageUser[]>;
  readonly #registry: OciRegistry;

  private constructor(
    parts: Pick<ImageEngine, 'root' | 'images' | 'snapshots' | 'content' | 'events' | 'users'> & {
      registry: OciRegistry;
    },
  ) {
    this.root = parts.root;
    this.images = parts.images;
    this.snapshots = parts.snapshots;
    this.content = parts.content;
    this.events = parts.events;
    this.users = parts.users;
    this.#registry = parts.registry;
  }

  static async start(options: ImageEngineOptions = {}): Promise<ImageEngine> {
    const root = options.root ?? (await mkdtemp(join(tmpdir(), 'images-')));
    const paths = dataPaths(join(root, 'data'));
    const content = await DiskContentStore.open(paths.contentDir);
    const layouts = new DiskSharedLayouts(options.sharedStores ?? []);
    const { snapshots } = await openSnapshotter({
      snapshotsDir: paths.snapshotsDir,
      rootfsDir: join(root, 'run'),
      driver: options.storageDriver,
      logger: silentLogger,
      ...(options.disk === undefined ? {} : { disk: options.disk }),
    });
    const registry = makeRegistry(options.registry);
    const events: Omit<EngineEvent, 'timeNano'>[] = [];
    const users = new Map<string, readonly ImageUser[]>();
    const platform = { os: 'linux', architecture: 'amd64' };
    const documents = await Collection.open({ dir: paths.imagesDir, decode: decodeImageDocument });
    const images = await ImageService.open({
      documents,
      content: new SharedContentStore(content, layouts),
      layouts,
      snapshots,
      registry,
      downloads: new HttpDownloads({ ...WAYS, isInsecure: () => false }),
      platform,
      layoutIndex: new OciLayoutIndex(paths.contentDir),
      unpacker: new TarUnpacker(),
      caches: options.caches ?? [],
      checker: snapshots.checker,
      archives: new TarArchiveReader(paths.ingestDir),
      archiveWriter: new TarArchiveWriter(),
      events: { publish: (event) => events.push(event) },
      clock: systemClock,
      logger: silentLogger,
      isOffline: false,
      maxDownloads: 3,
      maxUploads: 5,
      failpoints: NO_FAILPOINTS,
      usedBy: (id) => users.get(id) ?? [],
    });
    await images.recover(new AbortController().signal);
    return new ImageEngine({ root, images, snapshots, content, events, users, registry });
  }

  /** Pulls to the end. Errors before the first line are thrown, later ones are in the transcript. */
  async pull(
    image: string,
    request: Partial<PullRequest> = {},
    signal = new AbortController().signal,
  ): Promise<Transcript> {
    const full = { image, tag: undefined, platform: undefined, credentials: undefined, ...request };
    return await transcribe(await this.images.pull(full, signal));
  }

  /** Pushes to the end. */
  async push(image: string, request: Partial<PushRequest> = {}): Promise<Transcript> {
    const full = { image, tag: undefined, platform: undefined, credentials: undefined, ...request };
    return await transcribe(this.images.push(full, new AbortController().signal));
  }

  async load(archive: Buffer, options: { platform?: string } = {}): Promise<Transcript> {
    const source = (async function* () {
      for (let at = 0; at < archive.length; at += 65536) yield archive.subarray(at, at + 65536);
    })();
    return await transcribe(
      this.images.load(source, { quiet: false, ...options }, new AbortController().signal),
    );
  }

  /** Number of blobs, layers and half-written things on disk. */
  async leftovers(): Promise<{ blobs: number; layers: number; ingests: number; slots: number }> {
    const { contentDir, snapshotsDir } = dataPaths(join(this.root, 'data'));
    const layersDir = join(snapshotsDir, this.snapshots.name, 'layers');
    return {
      blobs: (await this.content.list()).length,
      layers: (await this.snapshots.listCommitted()).length,
      ingests: (await readdir(join(contentDir, 'ingest'))).length,
      // One directory is the empty layer.
      slots: (await readdir(layersDir)).length - 1,
    };
  }

  /** Closes without deleting anything, as a restart would. */
  async close(): Promise<void> {
    this.#registry.close();
    await this.snapshots.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const key of await this.snapshots.listActive()) await this.snapshots.removeActive(key);
    await this.close();
    await rm(this.root, { recursive: true, force: true });
  }
}

/** Nothing on disk at all. */
export const NOTHING = { blobs: 0, layers: 0, ingests: 0, slots: 0 };

/** A registry client with short pauses that opens its connections itself. */
export function makeRegistry(settings: Partial<OciRegistryOptions> = {}): OciRegistry {
  return new OciRegistry({
    mirrors: [],
    insecureRegistries: [],
    clock: systemClock,
    findCredentials: async () => undefined,
    ...WAYS,
    ...settings,
    retry: { attempts: 4, firstDelayMs: 1, longestDelayMs: 1500 },
    idleTimeoutMs: 5000,
  });
}

/** How the tests' clients reach servers. */
const WAYS: Omit<TransportOptions, 'isInsecure'> = {
  userAgent: 'test',
  systemAuthorities: async () => [],
  certificatesFor: async () => ({ authorities: [], clients: [] }),
  proxies: { httpProxy: '', httpsProxy: '', noProxy: '' },
  idleTimeoutMs: 5000,
  openConnection: ({ host, port }) =>
    new Promise((resolve, reject) => {
      const socket = createConnection({ host, port });
      socket.once('connect', () => resolve(socket));
      socket.once('error', reject);
    }),
};

/** Reads to the end, or to the error. */
export async function transcribe(source: AsyncIterable<ProgressMessage>): Promise<Transcript> {
  const lines: ProgressMessage[] = [];
  try {
    for await (const line of source) lines.push(line);
    return { lines, error: undefined };
  } catch (error) {
    return { lines, error };
  }
}
