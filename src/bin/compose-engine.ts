/** Builds the engine: names every implementation, once. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createApiServer } from '../api/server.ts';
import { cachedDigests } from '../builder/cache/stored-cache.ts';
import { CacheCollector } from '../engine/cache/cache-collector.ts';
import type { ContainerDeps } from '../engine/containers/container-deps.ts';
import { ContainerFilesService } from '../engine/containers/container-files-service.ts';
import { ContainerRegistry } from '../engine/containers/container-registry.ts';
import { ContainerService } from '../engine/containers/container-service.ts';
import { ContainerSignals } from '../engine/containers/container-signals.ts';
import { decodeContainer } from '../engine/containers/decode-container.ts';
import { holdsVolumes } from '../engine/containers/hold-volumes.ts';
import { RestartTimers } from '../engine/containers/restart-timers.ts';
import { restartWhenDue } from '../engine/containers/restart-when-due.ts';
import { EventBus } from '../engine/events/event-bus.ts';
import { ExecService } from '../engine/exec/exec-service.ts';
import { HealthMonitors } from '../engine/health/health-monitors.ts';
import type { ImageService } from '../engine/images/image-service.ts';
import { NetworkService } from '../engine/networks/network-service.ts';
import { recover } from '../engine/reconcile/recover.ts';
import { stopAllContainers } from '../engine/reconcile/stop-all.ts';
import { SystemService } from '../engine/system/system-service.ts';
import { decodeVolume } from '../engine/volumes/decode-volume.ts';
import { VolumeService } from '../engine/volumes/volume-service.ts';
import { renderNameFiles } from '../network/name-files.ts';
import { type OpenedNetwork, openNetwork } from '../network/open-network.ts';
import { findInit } from '../runtime/find-init.ts';
import { KeyedMutex } from '../shared/keyed-mutex.ts';
import { Collection } from '../state/collection.ts';
import { ensureLayout } from '../state/layout.ts';
import { FIRST_VERSION } from '../state/migrations.ts';
import { MountedTrees } from '../storage/archive/mounted-trees.ts';
import type { CacheSource } from '../storage/cache-source.ts';
import { DiskContentStore } from '../storage/content/disk-content-store.ts';
import { DiskSharedLayouts } from '../storage/content/disk-shared-layouts.ts';
import { SharedContentStore } from '../storage/content/shared-content-store.ts';
import { DiskContainerFiles } from '../storage/files/disk-container-files.ts';
import { DiskVolumeFiles } from '../storage/files/disk-volume-files.ts';
import { openSnapshotter } from '../storage/snapshots/open-snapshotter.ts';
import { diskSpaceOf } from '../sys/fs/disk-space.ts';
import { readBootId } from '../sys/proc/process-identity.ts';
import { readByPeer } from '../sys/unread-bytes.ts';
import { composeBuildDoor } from './compose-build-door.ts';
import { type BuilderParts, composeBuilder, openBuildCache } from './compose-builder.ts';
import { composeImages } from './compose-images.ts';
import { composeRuntime, type RuntimeParts } from './compose-runtime.ts';
import { DamageReport } from './damage-report.ts';
import { loadEmbeddedImage } from './embedded-image.ts';
import type { ComposedEngine, EngineParts } from './engine-composition.ts';
import { engineId } from './engine-id.ts';
import { isNewMachine, rememberMachine } from './machine-age.ts';
import { systemFacts } from './system-facts.ts';

/** What containers show as the error of their end. */
const STOP_ERRORS = {
  stop: undefined,
  'machine-lost': 'the process that holds the namespaces of all containers has ended',
} as const;

/** Opens everything, recovers what a crash left, and is then ready to serve. */
export async function composeEngine(parts: EngineParts): Promise<ComposedEngine> {
  const { logger } = parts;
  const damage = new DamageReport(logger);
  const [runtime, state] = await Promise.all([composeRuntime(parts), openState(parts, damage)]);
  const services = await composeServices(parts, { runtime, state });
  await services.volumes.recover();
  await services.images.recover(new AbortController().signal);
  const bootId = await readBootId();
  const { engineMark } = parts.runtimePaths;
  await recover(services.deps, { isNewMachine: await isNewMachine(engineMark, bootId) });
  await rememberMachine(engineMark, bootId);
  await loadEmbeddedImage(services.images, logger);
  services.caches.nudge();

  const server = createApiServer({
    backends: services,
    facts: { serverVersion: parts.version, storageDriver: state.snapshots.name },
    logger,
    readByPeer,
  });
  return {
    warnings: damage.lines,
    serve: (fd) => server.listen({ fd }),
    stop: async (reason) => {
      if (reason !== 'handover') {
        const patienceSeconds = parts.facts.settings.shutdownTimeoutSeconds;
        await stopAllContainers(services.deps, { patienceSeconds, error: STOP_ERRORS[reason] });
      }
      await services.deps.restarts.close();
      services.deps.health.close();
      await services.deps.logKeeper.close();
      await services.caches.close();
      await server.close();
      await state.snapshots.close();
    },
  };
}

/** What is kept on disk, opened. */
type EngineState = Awaited<ReturnType<typeof openState>>;

async function openState(parts: EngineParts, damage: DamageReport) {
  const { dataPaths } = parts;
  const { corruptDir } = dataPaths;
  await ensureLayout(dataPaths.layoutFile);
  return {
    ...(await openStorage(parts)),
    registry: new ContainerRegistry(
      await Collection.open({
        dir: dataPaths.containersDir,
        documentName: 'container.json',
        corruptDir,
        onQuarantined: damage.add,
        migrations: FIRST_VERSION,
        decode: decodeContainer,
      }),
    ),
    buildCache: await openBuildCache(parts, damage),
    volumeDocuments: await Collection.open({
      dir: dataPaths.volumesDir,
      documentName: 'volume.json',
      corruptDir,
      onQuarantined: damage.add,
      migrations: FIRST_VERSION,
      decode: decodeVolume,
    }),
    ...(await openContent(parts)),
    ...(await openNetworks(parts, damage)),
    id: await engineId(dataPaths),
    damage,
  };
}

async function openStorage({ dataPaths, runtimePaths, facts, logger }: EngineParts) {
  const { snapshots, reason } = await openSnapshotter({
    snapshotsDir: dataPaths.snapshotsDir,
    rootfsDir: runtimePaths.rootfsDir,
    driver: facts.settings.storageDriver,
    logger,
  });
  return { snapshots, driverReason: reason };
}

async function openContent({ dataPaths, facts }: EngineParts) {
  const layouts = new DiskSharedLayouts(facts.settings.additionalImageStores);
  const own = await DiskContentStore.open(dataPaths.contentDir);
  return { layouts, content: new SharedContentStore(own, layouts) };
}

function openNetworks(parts: EngineParts, damage: DamageReport): Promise<OpenedNetwork> {
  const { dataPaths, runtimePaths, facts, hostListeners, hostDialer, clock, failpoints, logger } =
    parts;
  return openNetwork({
    networksDir: dataPaths.networksDir,
    sandboxesDir: runtimePaths.sandboxesDir,
    bridgeAddress: facts.settings.bip,
    bridgeRange: facts.settings.fixedCidr,
    bridgeIpv6: facts.settings.bridgeIpv6,
    addressPools: facts.settings.addressPools,
    hostRoutes: facts.hostRoutes,
    hostAddress: facts.hostAddress,
    resolvers: facts.resolver.nameservers,
    hostLoopback: facts.settings.hostLoopback,
    remapsPrivileged: facts.settings.privilegedPorts === 'auto-remap',
    hostDialer,
    uplink: facts.uplink.driver === 'none' ? undefined : facts.uplink,
    hostListeners,
    clock,
    failpoints,
    onQuarantined: damage.add,
    logger,
  });
}

async function composeServices(
  parts: EngineParts,
  made: { readonly runtime: RuntimeParts; readonly state: EngineState },
) {
  const { clock, failpoints } = parts;
  const { registry, snapshots } = made.state;
  const events = new EventBus(clock);
  const volumes = new VolumeService({
    documents: made.state.volumeDocuments,
    files: new DiskVolumeFiles({
      pathsOf: (name) => parts.dataPaths.volume(name),
      pinsDir: parts.runtimePaths.pinsDir,
    }),
    events,
    clock,
    failpoints,
    sharedPlaces: parts.facts.settings.sharedPlaces,
    usedBy: (name) => registry.usersOfVolume(name),
    heldBy: (name) => registry.usersOfVolume(name).filter((id) => holdsVolumes(registry.get(id))),
  });
  const images = await composeImages(parts, {
    ...{ snapshots, content: made.state.content, layouts: made.state.layouts },
    caches: [{ holds: () => cachedDigests(made.state.buildCache) }],
    events,
    damage: made.state.damage,
    usedBy: (imageId) => registry.usersOfImage(imageId),
  });
  const { logger } = parts;
  const exec = new ExecService({ ...made.runtime, registry, snapshots, events, logger });
  const deps = await containerDeps(parts, { ...made, events, volumes, images, exec });
  const containers = new ContainerService({
    ...deps,
    execIdsOf: (id) => exec.runningIds(id),
  });
  const networks = new NetworkService({ networks: made.state.networks, containers: deps });
  const system = new SystemService({
    facts: await systemFacts(parts, {
      engineId: made.state.id,
      storageDriver: snapshots.name,
      driverReason: made.state.driverReason,
      findings: [...made.state.damage.lines, ...made.state.lacks],
      ...made.runtime.facts,
    }),
    registry,
    events,
    devices: made.runtime.devices,
    listImages: (options) => images.list({ all: true, filters: new Map(), ...options }),
    listContainers: (options) => containers.list(options),
    volumes,
    layersBytes: () => images.layersBytes(),
    openFiles: () => readdirSync('/proc/self/fd').length,
    login: (credentials) => images.login(credentials),
  });
  const trees = await MountedTrees.open(parts.runtimePaths.treesDir, parts.logger);
  const containerFiles = new ContainerFilesService({ ...deps, trees });
  const building = await composeBuilding(parts, made.state, { deps, images, trees });
  return {
    deps,
    containers,
    containerFiles,
    exec,
    images,
    volumes,
    networks,
    system,
    ...building,
  };
}

/** What builds, and what looks after the caches that builds and downloads fill. */
async function composeBuilding(
  parts: EngineParts,
  state: EngineState,
  given: Pick<BuilderParts, 'deps' | 'images' | 'trees'>,
) {
  const { content, buildCache: documents } = state;
  const onBuilt = () => caches.nudge();
  const builder = await composeBuilder(parts, { ...given, content, documents, onBuilt });
  const caches = composeCaches(parts, [given.images.downloads, builder.cache, builder.contexts]);
  const buildClients = composeBuildDoor(parts, { ...state, ...given, builder, caches });
  return { caches, buildClients, builds: builder.door };
}

function composeCaches(parts: EngineParts, sources: readonly CacheSource[]): CacheCollector {
  const { facts, dataPaths, clock, logger } = parts;
  return new CacheCollector({
    sources,
    settings: facts.settings.builderGc,
    diskSpace: () => diskSpaceOf(dataPaths.root),
    clock,
    logger,
  });
}

interface ContainerParts {
  readonly runtime: RuntimeParts;
  readonly state: EngineState;
  readonly events: EventBus;
  readonly volumes: VolumeService;
  readonly images: ImageService;
  readonly exec: ExecService;
}

async function containerDeps(parts: EngineParts, made: ContainerParts): Promise<ContainerDeps> {
  const { facts, clock, failpoints, logger, dataPaths } = parts;
  const { registry, snapshots, sandboxes } = made.state;
  const nameDefaults = {
    nameservers: sandboxes.nameservers(),
    nameserversOfMachine: facts.resolver.nameservers,
    search: facts.resolver.search,
    options: facts.resolver.options,
    hostGatewayIp: sandboxes.hostGateway() || facts.hostAddress,
    hostInternalIp: facts.settings.hostLoopback
      ? sandboxes.hostGateway() || facts.hostAddress
      : facts.hostAddress,
    hostsOfMachine: await readFile('/etc/hosts', 'utf8').catch(() => ''),
  };
  const deps: ContainerDeps = {
    registry,
    locks: new KeyedMutex(),
    signals: new ContainerSignals(),
    tasks: made.runtime.tasks,
    observer: made.runtime.observer,
    logs: made.runtime.logs,
    logKeeper: made.runtime.logKeeper,
    specs: made.runtime.specs,
    snapshots,
    sandboxes,
    images: made.images,
    volumes: made.volumes,
    files: new DiskContainerFiles((id) => dataPaths.container(id)),
    renderNameFiles: (request) => renderNameFiles(request, nameDefaults),
    events: made.events,
    clock,
    logger,
    failpoints,
    settings: {
      defaultRuntime: made.runtime.facts.defaultRuntime,
      defaultUserns: parts.facts.settings.defaultUserns,
      runtimeNames: made.runtime.facts.runtimes.map(({ name }) => name),
      initPath: await findInit(parts.environment['PATH'] ?? ''),
      hostHostname: facts.hostname,
      sharedPlaces: facts.settings.sharedPlaces,
      networkLack: facts.uplink.driver === 'none' ? facts.uplink.reason : undefined,
      log: { driver: facts.settings.logDriver, options: facts.settings.logOptions },
    },
    keptOnExit: new Set(),
    restarts: new RestartTimers({ clock, onDue: (id) => restartWhenDue(deps, id) }),
    health: new HealthMonitors({ registry, events: made.events, exec: made.exec, clock, logger }),
  };
  return deps;
}
