/** Builds what holds images: content store, layers, registry, archives. */

import { isIP } from 'node:net';
import { arch, availableParallelism } from 'node:os';
import { TarArchiveReader } from '../distribution/archive/tar-archive-reader.ts';
import { TarArchiveWriter } from '../distribution/archive/tar-archive-writer.ts';
import { OFFLINE_DOWNLOADS, OfflineRegistry } from '../distribution/offline-registry.ts';
import type { OpenConnection } from '../distribution/registry/connection-pools.ts';
import { HttpDownloads } from '../distribution/registry/http-downloads.ts';
import {
  DEFAULT_IDLE_TIMEOUT_MS,
  DEFAULT_RETRY,
  OciRegistry,
  type OciRegistryOptions,
} from '../distribution/registry/oci-registry.ts';
import { openTunnel, portOf, proxyFor } from '../distribution/registry/proxy.ts';
import { readRegistryCertificates } from '../distribution/registry/registry-certificates.ts';
import type { EventSink, ImageServiceOptions } from '../engine/images/image-deps.ts';
import { decodeImageDocument } from '../engine/images/image-document.ts';
import { ImageService } from '../engine/images/image-service.ts';
import type { HostProxy } from '../network/host-proxy.ts';
import { SocksServer } from '../network/proxy/socks-server.ts';
import type { Platform } from '../oci/platform.ts';
import { EngineError } from '../shared/errors.ts';
import { Collection } from '../state/collection.ts';
import { FIRST_VERSION } from '../state/migrations.ts';
import { OciLayoutIndex } from '../storage/content/oci-layout-index.ts';
import type { ContentStore } from '../storage/content-store.ts';
import type { SharedLayouts } from '../storage/shared-layouts.ts';
import type { OpenedSnapshotter } from '../storage/snapshots/open-snapshotter.ts';
import { ThreadedUnpacker } from '../storage/unpack/threads/threaded-unpacker.ts';
import type { DamageReport } from './damage-report.ts';
import type { EngineParts } from './engine-composition.ts';
import { startThread } from './program-paths.ts';
import { readSystemAuthorities } from './system-authorities.ts';

/** Architectures in the words of the OCI (GOARCH). */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** Threads that unpack layers are kept for the next layers of a pull, not for the next pull. */
const IDLE_THREAD_MS = 3_000;

export interface ImageParts {
  readonly snapshots: OpenedSnapshotter;
  readonly content: ContentStore;
  readonly caches: ImageServiceOptions['caches'];
  readonly layouts: SharedLayouts;
  readonly events: EventSink;
  readonly damage: DamageReport;
  readonly usedBy: ImageServiceOptions['usedBy'];
}

/** Opens the image service; nothing is repaired or swept yet. */
export async function composeImages(parts: EngineParts, given: ImageParts): Promise<ImageService> {
  const { dataPaths, clock, failpoints, logger } = parts;
  return await ImageService.open({
    ...given,
    documents: await Collection.open({
      dir: dataPaths.imagesDir,
      corruptDir: dataPaths.corruptDir,
      onQuarantined: given.damage.add,
      migrations: FIRST_VERSION,
      decode: decodeImageDocument,
    }),
    layoutIndex: new OciLayoutIndex(dataPaths.contentDir),
    unpacker: new ThreadedUnpacker({
      start: () => startThread('unpacker'),
      atMost: Math.min(availableParallelism(), parts.facts.settings.maxConcurrentDownloads),
      idleMs: IDLE_THREAD_MS,
    }),
    checker: given.snapshots.checker,
    ...openRegistry(parts),
    archives: new TarArchiveReader(dataPaths.ingestDir),
    archiveWriter: new TarArchiveWriter(),
    isOffline: parts.facts.settings.offline,
    maxDownloads: parts.facts.settings.maxConcurrentDownloads,
    maxUploads: parts.facts.settings.maxConcurrentUploads,
    clock,
    logger,
    failpoints,
    platform: machinePlatform(),
  });
}

/** What images run on here. */
export function machinePlatform(): Platform {
  return { os: 'linux', architecture: ARCHITECTURES[arch()] ?? arch() };
}

/** A way out for helper programs: through the user's HTTP proxies, where they are plain, and by the host. */
export async function openHostProxy({ facts, hostDialer }: EngineParts): Promise<HostProxy> {
  const { offline, proxies } = facts.settings;
  return await SocksServer.open({
    connect: async (target) => {
      if (offline) throw new EngineError('unavailable', 'this daemon makes no connections');
      const scheme = target.port === 80 ? 'http' : 'https';
      const host = isIP(target.host) === 6 ? `[${target.host}]` : target.host;
      const proxy = proxyFor(new URL(`${scheme}://${host}:${target.port}`), proxies);
      if (proxy === undefined) return await hostDialer.connect(target);
      const place = { host: proxy.hostname.replace(/^\[|\]$/g, ''), port: portOf(proxy) };
      return await openTunnel(await hostDialer.connect(place), proxy, target);
    },
  });
}

/** The ways out to registries and to the web. */
export function openRegistry(
  parts: EngineParts,
): Pick<ImageServiceOptions, 'registry' | 'downloads'> {
  const { settings } = parts.facts;
  if (settings.offline) {
    return { registry: new OfflineRegistry(), downloads: OFFLINE_DOWNLOADS };
  }
  const ways = {
    userAgent: `wherry/${parts.version} (linux)`,
    systemAuthorities: () =>
      readSystemAuthorities(parts.environment, (path, error) => {
        parts.logger.warn('cannot read the certificates that the machine trusts', { path, error });
      }),
    certificatesFor: (host: string) =>
      readRegistryCertificates(settings.certificateDirectories, host),
    proxies: settings.proxies,
    openConnection: (target: Parameters<OpenConnection>[0]) => parts.hostDialer.connect(target),
    idleTimeoutMs: DEFAULT_IDLE_TIMEOUT_MS,
  } satisfies Partial<OciRegistryOptions>;
  const registry = new OciRegistry({
    ...ways,
    mirrors: settings.registryMirrors,
    insecureRegistries: settings.insecureRegistries,
    clock: parts.clock,
    findCredentials: parts.findCredentials,
    retry: { ...DEFAULT_RETRY, attempts: settings.maxDownloadAttempts },
  });
  return { registry, downloads: new HttpDownloads({ ...ways, isInsecure: () => false }) };
}
